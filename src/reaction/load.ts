/** Loads the user's reactions: files → modules → exports marked as reactions → checks. */
import { type Kind, type Loaded, type LoadOptions, loadFiles } from '../config/load-files.js';
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { Reaction } from './definition.js';
import { checkReaction, isReaction } from './validate.js';

/** A reaction and its file. */
export type LoadedReaction = Reaction & {
  /** Absolute. */
  readonly file: string;
};

const kind: Kind<LoadedReaction> = {
  globs: 'reactions',
  read: reactionsOf,
  clash: (a, b) => (a.name === b.name && !isSame(a, b) ? `reaction ${a.name}` : undefined),
};

/** Loads the reactions of all files. */
export function loadReactions(options: LoadOptions): Promise<Loaded<LoadedReaction>> {
  return loadFiles(options, kind);
}

function reactionsOf(exports: Readonly<Record<string, unknown>>, file: string): readonly LoadedReaction[] {
  const reactions = new Set<Reaction>();
  for (const [name, value] of Object.entries(exports)) {
    if (isReaction(value)) reactions.add(value);
    else if (isMeantAsReaction(value, name === 'default' && Object.keys(exports).length === 1)) {
      throw new EvstoreError('E_CONFIG', `${file}: export ${name} is not a reaction`, {
        why: 'A reaction is what defineReaction returns.',
      });
    }
  }
  return [...reactions].map((reaction) => ({ ...checkIn(file, reaction), file }));
}

/** Ignoring an object that reacts, or the only thing that a file exports, would hide a mistake. */
function isMeantAsReaction(value: unknown, isOnly: boolean): boolean {
  if (typeof value !== 'object' || value === null) return isOnly && typeof value !== 'function';
  return 'react' in value || (isOnly && !('kind' in value));
}

function checkIn(file: string, reaction: Reaction): Reaction {
  try {
    return checkReaction(reaction);
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    throw new EvstoreError(error.code, `${file}: ${error.message}`, error);
  }
}

/** TypeScript files are evaluated for each file that imports them, so a reaction that is re-exported is another object. */
function isSame(a: Reaction, b: Reaction): boolean {
  const [one, other] = [a, b].map(({ file: _, ...reaction }: Reaction & { readonly file?: string }) =>
    JSON.stringify(
      Object.entries(reaction).map(([key, value]) => [key, typeof value === 'function' ? String(value) : value]),
    ),
  );
  return one === other;
}
