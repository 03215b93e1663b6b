/** A project and its store with everything in it that a list can show, made by the packed program. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackedPackage, packPackage, type RunResult } from '../support/package.js';

export const streams = ['Zamówienie-Łódź-źdźbło', '订单-北京-二〇二六', '📦-🚚-👩‍👩‍👧‍👦'] as const;
export const types = ['ZamówienieZłożone', '订单已支付', '📦Wysłane'] as const;
export const sagaStates = ['completed', 'compensated', 'failed', 'compensation-failed', 'running'] as const;

const failure =
  'nie mogę przetworzyć „gęślą jaźń” 🚨 无法处理这个订单，因为库存里没有这个商品 and what follows is long';

const columns = "{ columns: { streamId: 'text', events: 'integer' }, key: 'streamId' }";

function projection(name: string, body: string, version = 1): string {
  return `{ name: '${name}', version: ${version}, table: ${columns}, on: {
    ${types.map((type) => `'${type}': (row) => ({ events: (row?.events ?? 0) + 1 })`).join(',\n    ')}${body} } }`;
}

const fails = `, '${types[1]}': () => { throw new Error('${failure}'); }`;

/** A rebuild of version 2 has something to change. */
export function writeProjections(folder: string, version = 1): void {
  mkdirSync(join(folder, 'projections'), { recursive: true });
  const made = [
    ['zamowienia_w_toku_wszystkich_magazynow', '', version],
    ['failing_orders', fails, 1],
    ['parked_orders', fails, 1],
    ['never_run_yet', '', 1],
  ] as const;
  const lines = made.map(
    ([name, body, itsVersion]) => `export const ${name} = ${projection(name, body, itsVersion)};\n`,
  );
  writeFileSync(join(folder, 'projections/zamówienia-订单-📦.mjs'), lines.join(''));
}

const saga = `
const fail = (why) => { throw new Error(why + ': ${failure}'); };
export default { kind: 'saga', name: 'wysylka', version: 1, startOn: 'WysyłkaZlecona', steps: [
  { kind: 'action', name: 'reserve', retries: 0,
    action: ({ trigger }) => { if (trigger.data.end === 'failed') fail('reserve'); },
    compensate: ({ trigger }) => { if (trigger.data.end === 'compensation-failed') fail('undo'); } },
  { kind: 'action', name: 'ship', retries: 0, action: ({ trigger }) => {
    if (trigger.data.end === 'running' && process.env.STOP_IN_ACTION) process.kill(process.pid, 'SIGKILL');
    if (/^compensat/.test(trigger.data.end)) fail('ship');
  } },
] };
`;

export const instanceOf = (state: string): string => `Wysyłka-${state}-📦`;

export const correlationOf = (state: string): string => `śledztwo-调查-${state}`;

export interface FullStore {
  readonly packed: PackedPackage;
  readonly env: Readonly<Record<string, string>>;
  /** In a pipe. @throws unless it ends with this code */
  evstore(argv: readonly string[], code?: number): Promise<RunResult>;
}

export async function makeFullStore(url: string): Promise<FullStore> {
  const packed = await packPackage();
  const env = { EVSTORE_URL: url };
  writeProjections(packed.folder);
  mkdirSync(join(packed.folder, 'sagas'));
  writeFileSync(join(packed.folder, 'sagas/wysyłka.mjs'), saga);
  const evstore = async (argv: readonly string[], code: number | 'killed' = 0, extra: Record<string, string> = {}) => {
    const result = await packed.evstore(argv, { env: { ...env, ...extra } });
    if ((result.code ?? 'killed') !== code)
      throw new Error(`evstore ${argv.join(' ')}: exit ${result.code}\n${result.stderr}`);
    return result;
  };
  const events = streams.flatMap((streamId) =>
    types.map((type) => ({
      streamId,
      type,
      data: { opis: `zażółć 订单 🚚 ${'x'.repeat(100)}`, 'emoji 👩‍👩‍👧‍👦': type },
    })),
  );
  const triggerOf = (state: string) => [
    '--type',
    'WysyłkaZlecona',
    '--data',
    JSON.stringify({ end: state }),
    '--correlation-id',
    correlationOf(state),
  ];
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(join(packed.folder, 'zdarzenia-事件.ndjson'), lines.join(''));
  await evstore(['init', '--no-config']);
  await evstore(['import', 'zdarzenia-事件.ndjson']);
  await evstore(['run', 'zamowienia_w_toku_wszystkich_magazynow', '--once']);
  await evstore(['run', 'failing_orders', '--once'], 9);
  await evstore(['run', 'parked_orders', '--once', '--on-error', 'park']);
  for (const state of sagaStates) {
    // The process that runs the last one ends in the middle of a step.
    const isStopped = state === 'running';
    await evstore(['append', instanceOf(state), ...triggerOf(state)]);
    const code = isStopped ? 'killed' : state === 'compensation-failed' ? 1 : 0;
    await evstore(['run', 'wysylka', '--once', '--sagas'], code, { STOP_IN_ACTION: '1' });
  }
  return { packed, env, evstore };
}
