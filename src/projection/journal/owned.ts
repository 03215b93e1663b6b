/** What a swap changes and the account of the database does not own: Postgres would refuse it at the last step. */
import { EvstoreError } from '../../domain/errors.js';
import { shellWord } from '../../domain/shell-word.js';
import type { NotOwned, Rebuild, Store } from '../../store/store.js';

/** @throws E_PERMISSION when this account may not rename the live tables and these, or change what hangs on them */
export async function assertOwned({ projections }: Store, rebuild: Rebuild, side: 'built' | 'old', what: string) {
  const { tables } = rebuild;
  const names = tables.flatMap((table) => [table.live, table[side]]);
  if (names.length > 0) refuseNotOwned(what, await projections.findNotOwned(names));
}

/**
 * Dropping a table needs its owner, whatever hangs on it.
 * @throws E_PERMISSION when this account may not drop these tables
 */
export async function assertDropOwned({ projections }: Store, tables: readonly string[], what: string) {
  if (tables.length === 0) return;
  const notOwned = await projections.findNotOwned(tables);
  refuseNotOwned(
    what,
    notOwned.filter(({ kind }) => kind === 'table'),
  );
}

/**
 * @param what needs to own them: `the rebuild of order_summary`
 * @throws E_PERMISSION naming each, its owner and this account
 */
export function refuseNotOwned(what: string, notOwned: readonly NotOwned[]): void {
  const [first] = notOwned;
  if (first === undefined) return;
  const { account, superuser } = first;
  const listed = notOwned.map(({ kind, name, owner }) => `${kind} ${name}, which ${owner} owns`);
  const owners = [...new Set(notOwned.map(({ owner }) => owner))];
  const changes = notOwned.flatMap(({ change }) => (change === null ? [] : [change]));
  const isChangeable = changes.length === notOwned.length;
  const who = owners.length === 1 ? `as ${owners[0]}` : 'as a role that is a member of these owners';
  throw new EvstoreError('E_PERMISSION', `${what} needs to change ${listed.join('; ')}`, {
    why:
      `The database account ${account} may not do that. Nothing was changed. Connect ${who} or as a superuser, or let a ` +
      `superuser ${isChangeable ? `make ${account} the owner` : `grant ${account} the role of the owner`}.`,
    // A role that owns something else may have more rights than a runner should be given: a person decides about that.
    next: isChangeable
      ? `psql -U ${shellWord(superuser ?? 'postgres')} -c ${shellWord(changes.join('; '))}`
      : undefined,
    details: { account, notOwned: notOwned.map(({ kind, name, owner }) => ({ kind, name, owner })) },
  });
}
