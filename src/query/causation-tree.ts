/** Arranges events by what caused them. */
import type { RecordedEvent } from '../domain/event.js';
import { relationOf } from '../domain/relation.js';

export interface CausationNode {
  readonly event: RecordedEvent;
  /** Of a root: its causation id, when no event that was found has it. */
  readonly missingCause: string | null;
  /** Of a root: its cause is one of its own effects. */
  readonly isCircular: boolean;
  /** By position. */
  readonly children: readonly CausationNode[];
}

interface GrowingNode extends CausationNode {
  missingCause: string | null;
  isCircular: boolean;
  readonly children: GrowingNode[];
}

/**
 * Returns the roots by position. Each event is in the tree once. Where events cause each other in a circle, the first of
 * them by position is a root.
 */
export function growTree(events: readonly RecordedEvent[]): readonly CausationNode[] {
  const sorted = [...events].sort((a, b) => a.globalPosition - b.globalPosition);
  const nodes = new Map<string, GrowingNode>();
  for (const event of sorted) nodes.set(event.id, { event, missingCause: null, isCircular: false, children: [] });
  const causes = new Map<GrowingNode, GrowingNode>();
  for (const node of nodes.values()) {
    const { causationId } = relationOf(node.event);
    const cause = causationId === undefined ? undefined : nodes.get(causationId);
    if (cause === undefined) node.missingCause = causationId ?? null;
    else causes.set(node, cause);
  }
  openCircles([...nodes.values()], causes);
  for (const [node, cause] of causes) cause.children.push(node);
  return [...nodes.values()].filter((node) => !causes.has(node));
}

/** Follows each event up to its root once. */
function openCircles(nodes: readonly GrowingNode[], causes: Map<GrowingNode, GrowingNode>): void {
  const done = new Set<GrowingNode>();
  for (const start of nodes) {
    const path = new Set<GrowingNode>();
    let node: GrowingNode | undefined = start;
    while (node !== undefined && !done.has(node) && !path.has(node)) {
      path.add(node);
      node = causes.get(node);
    }
    if (node !== undefined && path.has(node)) {
      const circle = [...path].slice([...path].indexOf(node));
      const [first = node] = circle.sort((a, b) => a.event.globalPosition - b.event.globalPosition);
      first.isCircular = true;
      causes.delete(first);
    }
    for (const each of path) done.add(each);
  }
}

/** An event of the tree with its depth, from 0, and what is needed to draw the lines before it. */
export interface CausationRow {
  readonly node: CausationNode;
  readonly cause: RecordedEvent | undefined;
  readonly depth: number;
  /** Undefined for a root. */
  readonly level: Level | undefined;
}

/** A level of the tree above an event, from the lowest. */
export interface Level {
  /** More events follow at this level. */
  readonly isFollowed: boolean;
  readonly above: Level | undefined;
}

/** Yields the events of the tree from top to bottom. Trees may be deeper than calls may be nested. */
export function* walkTree(roots: readonly CausationNode[]): Generator<CausationRow> {
  const open: CausationRow[] = [];
  const push = (nodes: readonly CausationNode[], parent: CausationRow | undefined) => {
    for (const [index, node] of [...nodes.entries()].reverse()) {
      const level = parent && { isFollowed: index < nodes.length - 1, above: parent.level };
      open.push({ node, cause: parent?.node.event, depth: parent === undefined ? 0 : parent.depth + 1, level });
    }
  };
  push(roots, undefined);
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    yield row;
    push(row.node.children, row);
  }
}
