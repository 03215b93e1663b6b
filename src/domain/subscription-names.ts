/** What a subscription is, told by its id: a projection has its plain name, the others begin with their kind. */
import { partOf } from './parts.js';
import { shellWord } from './shell-word.js';

const sagaPrefix = 'saga:';
const reactionPrefix = 'reaction:';
const programPrefix = 'subscription:';

/** The subscription of a saga, and the category of its instances. */
export function sagaId(name: string): string {
  return `${sagaPrefix}${name}`;
}

/** The subscription of a reaction. */
export function reactionId(name: string): string {
  return `${reactionPrefix}${name}`;
}

/** The subscription that a program gave this name. */
export function programId(name: string): string {
  return `${programPrefix}${name}`;
}

/** Returns the name of the reaction; undefined for a subscription of another kind. */
export function reactionOf(id: string): string | undefined {
  return id.startsWith(reactionPrefix) ? id.slice(reactionPrefix.length) : undefined;
}

/** Returns the name of the saga; undefined for a subscription of another kind. */
export function sagaOf(id: string): string | undefined {
  return id.startsWith(sagaPrefix) ? id.slice(sagaPrefix.length) : undefined;
}

/** Returns the ids that a person may mean by a name, the most likely first. */
export function idsNamed(name: string): readonly string[] {
  return ['', sagaPrefix, reactionPrefix, programPrefix].map((prefix) => `${prefix}${name}`);
}

/** Returns false for subscriptions that keep no rows: sagas, reactions, and named subscriptions of programs. */
export function isProjectionId(id: string): boolean {
  return ![sagaPrefix, reactionPrefix, programPrefix].some((prefix) => id.startsWith(prefix));
}

/** Returns the name by which `evstore run` knows a subscription; undefined when a program runs it. */
export function runName(id: string): string | undefined {
  if (isProjectionId(id)) return partOf(id).projection;
  return /^(?:saga|reaction):(.*)$/s.exec(id)?.[1];
}

/** Returns the command that runs a subscription, or a part of it; null when a program runs it. */
export function runCommand(id: string): string | null {
  const name = runName(id);
  if (name === undefined) return null;
  const { part } = partOf(id);
  const share = part.of === 1 ? '' : ` --partition ${part.index}/${part.of}`;
  return `evstore run ${shellWord(name)}${isProjectionId(id) ? share : ' --sagas'}`;
}
