/** Examines a store part by part. A part that fails becomes a finding, and the other parts are still examined. */
import { isEvstoreError } from '../domain/errors.js';
import type { Finding } from '../domain/finding.js';
import type { Diagnosis, Store } from '../store/store.js';
import { examineHead } from './head.js';
import { examineSchema } from './schema.js';
import { examineSubscriptions } from './subscriptions.js';

export async function examineStore(store: Store, now: Date): Promise<Diagnosis> {
  const engine = await examine('store', () => store.schema.diagnose());
  const isReached = engine.facts.length > 0;
  if (!isReached) return engine;
  const schema = await examine('schema', () => examineSchema(store.schema));
  const parts = [engine, schema];
  const isUsable = schema.findings.every(({ severity }) => severity !== 'error');
  if (isUsable) {
    parts.push(await examine('guards', () => examineGuards(store)));
    parts.push(await examine('log', () => examineHead(store.log)));
    parts.push(await examine('subscriptions', () => examineSubscriptions(store, now)));
  }
  return { facts: parts.flatMap(({ facts }) => facts), findings: parts.flatMap(({ findings }) => findings) };
}

/** Turns an error into a finding. */
export function toFinding(subject: string, error: unknown): Finding {
  if (!isEvstoreError(error)) throw error;
  const { code, message, why } = error;
  // This is what is running already.
  const next = error.next === undefined || error.next === 'evstore doctor' ? null : error.next;
  const kind = code.slice('E_'.length).toLowerCase().replaceAll('_', '-');
  return { kind, severity: 'error', subject, detail: why === undefined ? message : `${message}: ${why}`, next };
}

async function examine(subject: string, work: () => Promise<Diagnosis>): Promise<Diagnosis> {
  try {
    return await work();
  } catch (error) {
    return { facts: [], findings: [toFinding(subject, error)] };
  }
}

async function examineGuards({ schema }: Store): Promise<Diagnosis> {
  const broken = await schema.findBrokenGuards();
  const findings = broken.map(({ detail, fixable }): Finding => {
    const next = fixable === null ? 'evstore init --print-sql' : `evstore doctor --fix ${fixable}`;
    return { kind: 'broken-guard', severity: 'error', subject: 'store', detail, next };
  });
  return { facts: [{ name: 'guards', value: broken.length === 0 ? 'intact' : `${broken.length} broken` }], findings };
}
