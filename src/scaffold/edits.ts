/** Changes code at places, so that comments and lines stay as they are. */
import type { Node } from '../projection/define/syntax.js';

/** Replaces the text from `start` to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Edits inside another edit are left out. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let made = '';
  let at = 0;
  for (const { start, end, text: inserted } of [...edits].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < at) continue;
    made += text.slice(at, start) + inserted;
    at = end;
  }
  return made + text.slice(at);
}

/** Visits a node and everything in it. */
export function visit(node: Node, look: (node: Node) => void): void {
  look(node);
  for (const [field, value] of Object.entries(node)) {
    if (field === 'loc') continue;
    for (const each of [value].flat()) {
      if (typeof each === 'object' && each !== null && typeof each.type === 'string') visit(each as Node, look);
    }
  }
}
