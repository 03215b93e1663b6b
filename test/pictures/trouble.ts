/** A project and its store in trouble, as people meet it: made by the built program, so that all of it is real. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const day = 86_400_000;

export const program = new URL('../../dist/bin/evstore.js', import.meta.url).pathname;

/** Code of version 2 is what `diff` compares with the live rows of version 1. */
function writeCode(folder: string, version: 1 | 2): void {
  const status = version === 1 ? "'placed'" : "'PLACED'";
  const lastAt = version === 1 ? ", last_at: 'timestamp'" : '';
  const setsLastAt = version === 1 ? ', last_at: createdAt' : '';
  const files: Readonly<Record<string, string>> = {
    'projections/order_summary.mjs': `
      const columns = { stream_id: 'text', customer: 'text', total: 'numeric', status: 'text'${lastAt} };
      export default { name: 'order_summary', version: ${version}, table: { columns, key: 'stream_id' }, on: {
        OrderPlaced: (_row, { data, createdAt }) => ({ customer: data.customer, total: data.total, status: ${status}${setsLastAt} }),
        OrderPaid: (row) => ({ ...row, status: 'paid' }),
      } };`,
    'projections/invoices.mjs': `
      export default { name: 'invoices', version: 1, table: { columns: { stream_id: 'text', reason: 'text' }, key: 'stream_id' }, on: {
        OrderPlaced: () => ({ reason: 'none' }),
        OrderCancelled: (_row, { data }) => ({ reason: describeReason(data) }),
      } };
      function describeReason(data) { return data.reason.toUpperCase(); }`,
    'projections/shipments.mjs': `
      export default { name: 'shipments', version: 1, table: { columns: { stream_id: 'text', carrier: 'text' }, key: 'stream_id' }, on: {
        ShipmentRequested: (_row, { data }) => ({ carrier: findTariff(data.carrier) }),
      } };
      function findTariff(carrier) {
        if (carrier === 'GLS') throw new Error('no tariff for carrier GLS');
        return carrier;
      }`,
    'projections/zamówienia.mjs': `
      export default { name: 'zamowienia_w_toku_wszystkich_magazynow', version: 1,
        table: { columns: { stream_id: 'text', opis: 'text' }, key: 'stream_id' },
        on: { ZamówienieZłożone: (_row, { data }) => ({ opis: data.opis }), 订单已支付: (row) => row } };`,
    'sagas/refund.mjs': `
      export default { kind: 'saga', name: 'refund', version: 1, startOn: 'OrderCancelled', steps: [
        { kind: 'action', name: 'void-payment', retries: 0, action: () => {},
          compensate: ({ trigger }) => { if (trigger.data.end === 'compensation-failed') throw new Error('payment provider: 503'); } },
        { kind: 'action', name: 'restock', retries: 1, action: ({ trigger }) => {
          if (trigger.data.end === 'stuck' && process.env.STOP_IN_ACTION) process.kill(process.pid, 'SIGKILL');
          if (/^compensat/.test(trigger.data.end)) throw new Error('warehouse closed: 仓库已关闭, spróbuj później');
        } },
      ] };`,
  };
  for (const name of ['projections', 'sagas']) mkdirSync(join(folder, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
}

/** The oldest first: 14 years, then closer and closer to now. */
function* makeLines(now: number): Iterable<object> {
  const at = (age: number) => new Date(now - age).toISOString();
  for (let order = 0; order < 1_500; order += 1) {
    const createdAt = at(Math.max(3 * day, (5_400 - 10 * order) * day));
    const data = { customer: ['ada', 'Müller', '王小明', 'Żaneta'][order % 4], total: 12.5, items: [1, 2] };
    yield { streamId: `Order-${order}`, type: 'OrderPlaced', data, createdAt };
    if (order % 2 === 0) yield { streamId: `Order-${order}`, type: 'OrderPaid', data: { amount: 12.5 }, createdAt };
  }
  for (const streamId of ['Zamówienie-Łódź-źdźbło', '订单-北京-二〇二六', '📦-🚚-👩‍👩‍👧‍👦']) {
    const data = { opis: `zażółć gęślą jaźń 订单 🚚 ${'x'.repeat(100)}` };
    yield { streamId, type: 'ZamówienieZłożone', data, createdAt: at(59 * day) };
    yield { streamId, type: '订单已支付', data, createdAt: at(2 * day) };
  }
  for (let shipment = 0; shipment < 8_618; shipment += 1) {
    const data = { carrier: shipment < 18 ? 'DHL' : 'GLS', weight: 3 };
    yield { streamId: `Shipment-${shipment}`, type: 'ShipmentRequested', data, createdAt: at(day) };
  }
}

export interface Trouble {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** @param folder an empty one */
export async function makeTrouble(folder: string, url: string): Promise<Trouble> {
  const env = { EVSTORE_URL: url };
  const evstore = async (
    argv: readonly string[],
    codes: readonly number[] = [0],
    more: Record<string, string> = {},
  ) => {
    const options = { cwd: folder, env: { ...process.env, ...env, ...more }, maxBuffer: 1 << 26 };
    const { code } = await run(process.execPath, [program, ...argv], options).then(
      () => ({ code: 0 }),
      (error) => error,
    );
    if (!codes.includes(code)) throw new Error(`evstore ${argv.join(' ')} ended with ${code}`);
  };
  writeCode(folder, 1);
  const lines = [...makeLines(Date.now())].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(join(folder, 'events.ndjson'), lines.join(''));
  await evstore(['init', '--no-config']);
  await evstore(['import', 'events.ndjson']);
  await evstore(['run', 'order_summary', 'zamowienia_w_toku_wszystkich_magazynow', '--once']);
  await evstore(['run', 'shipments', '--once', '--on-error', 'park']);
  for (const [order, end] of [
    [1, 'completed'],
    [3, 'compensated'],
    [5, 'compensation-failed'],
    [7, 'stuck'],
  ] as const) {
    const data = JSON.stringify({ end, reason: null });
    const cause = ['--correlation-id', `cancel-${order}`];
    await evstore(['append', `Order-${order}`, '--type', 'OrderCancelled', '--data', data, ...cause]);
    // The process that runs the last one ends in the middle of a step, and its code tells no number.
    const codes = end === 'stuck' ? [null as never] : [0, 9];
    await evstore(['run', 'refund', '--once', '--sagas'], codes, { STOP_IN_ACTION: '1' });
  }
  await evstore(['run', 'invoices', '--once'], [9]);
  writeCode(folder, 2);
  await evstore(['rebuild', 'order_summary', '--no-swap']);
  return { folder, env };
}
