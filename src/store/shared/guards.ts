/** Refuses a store whose order cannot be relied on. */
import { EvstoreError } from '../../domain/errors.js';
import type { BrokenGuard, FixablePart } from '../schema-admin.js';
import { type RawRow, toOptional, toText } from './rows.js';

/** Columns as in guards.sql. */
export function toBrokenGuard(row: RawRow): BrokenGuard {
  const detail = toText(row[0]);
  return {
    detail,
    fixable: toOptional(row[1], (part) => toText(part) as FixablePart),
    next: toOptional(row[2], toText),
    isStandby: detail.startsWith('this server is a standby'),
  };
}

/** @throws E_UNSAFE_STORE naming what is broken */
export function refuseBroken(broken: readonly BrokenGuard[]): void {
  const [first, ...others] = broken;
  if (first === undefined) return;
  const also = others.length === 0 ? '' : `Also: ${others.map(({ detail }) => detail).join('; ')}. `;
  throw new EvstoreError('E_UNSAFE_STORE', `the store cannot be read in order: ${first.detail}`, {
    why: `${also}Reading on could skip or reorder events unnoticed.`,
    next: first.fixable === null ? (first.next ?? 'evstore doctor') : `evstore doctor --fix ${first.fixable}`,
    details: { broken: broken.map(({ detail }) => detail) },
  });
}
