/** Which parked events `evstore parked` is asked for. */
import type { Option } from 'commander';
import { EvstoreError } from '../../src/domain/errors.js';
import { isUuid } from '../../src/domain/uuid.js';
import type { ParkedSelection } from '../../src/projection/parked/parked.js';
import type { Flags } from '../options/command.js';
import { option } from '../options/option.js';

export function selectionFlags(): readonly Option[] {
  return [
    option('--stream <stream>', 'select the events of one stream').conflicts('all'),
    option('--all', 'select the events of every stream').conflicts('stream'),
  ];
}

/** @param place a global position or an event's id */
export function parsePlace(place: string): ParkedSelection {
  if (/^\d+$/.test(place) && Number.isSafeInteger(Number(place))) return { kind: 'position', position: Number(place) };
  if (isUuid(place)) return { kind: 'id', id: place.toLowerCase() };
  throw new EvstoreError('E_USAGE', `'${place}' is neither a position nor the id of an event`, {
    next: 'evstore parked list',
  });
}

/** Undefined when nothing was said. @throws E_USAGE when it was said twice */
export function readSelection(place: string | undefined, flags: Flags): ParkedSelection | undefined {
  const { stream, all } = flags as { readonly stream?: string; readonly all?: boolean };
  if (place === undefined) {
    if (stream !== undefined) return { kind: 'stream', streamId: stream };
    return all === true ? { kind: 'all' } : undefined;
  }
  if (stream === undefined && all !== true) return parsePlace(place);
  throw new EvstoreError('E_USAGE', 'use only one of: a position, an id, --stream, --all', {
    next: 'evstore parked list',
  });
}
