/** The functions that keep the order, as they stand in a database, changed there. */
import type { Raw } from '../support/engines.js';

export type FunctionName = 'evstore_floor_events' | 'evstore_safe_head';

/** Replaces every occurrence in the body; one that is not there is an error, so that no mutant is the original. */
export async function mutate(raw: Raw, name: FunctionName, changes: readonly [string, string][]): Promise<void> {
  const [row] = await raw.query(`select pg_get_functiondef('${name}'::regproc) as text`);
  let text = String(row?.text);
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${name} has no "${from}" to change:\n${text}`);
    text = text.replaceAll(from, () => to);
  }
  await raw.query(text);
}

/** Pauses between the steps that must come in order: what is right stays right, what is wrong shows at once. */
export async function stretch(raw: Raw): Promise<void> {
  const pause = (ms: number) => `perform pg_sleep(random() * ${ms} / 1000.0);`;
  await mutate(raw, 'evstore_floor_events', [['return null;', `${pause(3)} return null;`]]);
  await mutate(raw, 'evstore_safe_head', [
    ['select min(', `${pause(5)}\n  select min(`],
    ['return least(', `${pause(5)}\n  return least(`],
  ]);
}
