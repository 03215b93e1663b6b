/** `types generate` and `types check`, on both engines. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import type { EventInput } from '../../src/library/event-input.js';
import { openStore } from '../../src/library/event-store.js';
import { type CliResult, runCli } from '../support/cli.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'evstore-types-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const read = (file: string) => readFileSync(join(cwd, file), 'utf8');

forEachEngine((engine) => {
  interface Shop {
    readonly test: TestStore;
    types(...argv: string[]): Promise<CliResult>;
    append(stream: string, ...events: EventInput[]): Promise<void>;
  }

  function withShop(body: (shop: Shop) => Promise<void>): Promise<void> {
    return withTestStore(engine, async (test) => {
      const store = await openStore(test.url);
      const append = async (stream: string, ...events: EventInput[]) => void (await store.append(stream, events));
      const types = (...argv: string[]) => runCli(['types', ...argv, '--store', test.url], { cwd });
      try {
        await body({ test, types, append });
      } finally {
        await store.close();
      }
    });
  }

  const placed = (index: number): EventInput => ({
    type: 'OrderPlaced',
    data: { orderId: `Order-${index}`, total: index, status: index % 2 === 0 ? 'open' : 'held' },
  });
  const orders = (amount: number) => Array.from({ length: amount }, (_, index) => placed(index));

  test('generate writes the types and their lock; again it changes nothing', () =>
    withShop(async ({ types, append }) => {
      expect(await types('generate')).toMatchObject({ code: 6, stdout: '' });
      await append('Order-1', ...orders(20));
      await append('Order-2', { type: 'Order.Paid', data: { amount: 2n ** 60n }, schemaVersion: 2 });
      await append('Order-2', { type: 'Order.Paid', data: 3 });
      const made = await types('generate');
      expect(made).toMatchObject({ code: 0, stdout: 'evstore.types.d.ts\nevstore.types.json\n' });
      expect(made.stderr).toContain('looked at all 22 events of 2 types, up to position 22');
      const text = read('evstore.types.d.ts');
      const body = [
        "    'Order.Paid': {\n      amount: number | bigint;\n    };",
        "    OrderPlaced: {\n      orderId: string;\n      status: 'held' | 'open';\n      total: number;\n    };",
        "    'Order.Paid': {\n      1: number;\n      2: StoredEvents['Order.Paid'];\n    };",
      ];
      for (const part of body) expect(text).toContain(part);
      const lock = read('evstore.types.json');
      expect(JSON.parse(lock)).toMatchObject({ format: 1, out: 'evstore.types.d.ts', seenTo: 22, enums: true });
      const again = JSON.parse((await types('generate', '--json')).stdout);
      expect(again).toMatchObject({ events: 22, complete: true, files: [{ changed: false }, { changed: false }] });
      expect([read('evstore.types.d.ts'), read('evstore.types.json')]).toEqual([text, lock]);
    }));

  test('only the facts of sagas are left out, not the events of a category that is called saga', () =>
    withShop(async ({ types, append, test: { store } }) => {
      await append('saga-5', { type: 'ChapterWritten', data: { pages: 3 } });
      const fact = { type: 'SagaCompleted', schemaVersion: 1, data: '{}', metadata: '{}', streamType: 'saga' };
      await store.log.append('saga:shipping-1', [{ ...fact, id: newEventId() }], 'any');
      expect(await types('generate')).toMatchObject({ code: 0 });
      expect(read('evstore.types.d.ts')).toContain('ChapterWritten: {\n      pages: number;');
      expect(read('evstore.types.d.ts')).not.toContain('SagaCompleted');
    }));

  test('generate remembers where it wrote, and replaces no file of a person without --force', () =>
    withShop(async ({ types, append }) => {
      await append('Order-1', ...orders(1));
      mkdirSync(join(cwd, 'src'));
      writeFileSync(join(cwd, 'src/events.d.ts'), 'export {};\n');
      const refused = await types('generate', '--out', 'src/events.d.ts');
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(/next: evstore types generate .*--force --dry-run/);
      const shown = await types('generate', '--out', 'src/events.d.ts', '--force', '--dry-run');
      expect(shown.stderr).toMatch(/^\+ .*OrderPlaced/m);
      expect(shown.stdout).toMatch(/^\/\/ src\/events.d.ts\n/);
      expect(read('src/events.d.ts')).toBe('export {};\n');
      expect(await types('generate', '--out', 'src/events.d.ts', '--force')).toMatchObject({ code: 0 });
      expect((await types('generate')).stdout).toBe('src/events.d.ts\nevstore.types.json\n');
      expect(existsSync(join(cwd, 'evstore.types.d.ts'))).toBe(false);

      expect(await types('generate', '--out', '../events.d.ts')).toMatchObject({ code: 2 });
      expect(await types('generate', '--out', 'events.js')).toMatchObject({ code: 2 });
      writeFileSync(join(cwd, 'evstore.types.json'), '{"format":2}');
      for (const command of ['generate', 'check']) {
        expect((await types(command)).stderr).toContain('evstore.types.json cannot be read (E_CONFIG)');
      }
      expect(await types('generate', '--force')).toMatchObject({ code: 0 });
    }));

  test('a sample has events of every type, is the same each time, and is called one', () =>
    withShop(async ({ types, append }) => {
      await append('Order-1', ...orders(200));
      await append('Order-2', { type: 'Rare', data: { only: true } });
      await append('Order-1', ...orders(30), { type: 'OrderPlaced', data: { last: 1 } });
      const made = await types('generate', '--sample', '40');
      expect(made.stderr).toContain('looked at 41 events of 2 types, up to position 232; not at all events');
      expect(made.stderr).toContain('of 1 type, a sample: other events may have other data');
      const text = read('evstore.types.d.ts');
      for (const part of [
        'From a sample of 40 events.',
        'only: boolean;',
        'last?: number;',
        '/** In the sample: held, open. */\n      status?: string;',
        '// Of 1 type, a sample: other events may have other data.',
      ])
        expect(text).toContain(part);
      await types('generate', '--sample', '40');
      expect(read('evstore.types.d.ts')).toBe(text);
      await types('generate', '--sample', 'all', '--no-enums');
      expect(read('evstore.types.d.ts')).toMatch(/all 232 events[\s\S]*status\?: string;/);
    }));

  test('check finds what came after and does not fit, with the position of the event', () =>
    withShop(async ({ types, append }) => {
      expect(await types('check')).toMatchObject({ code: 6 });
      await append('Order-1', ...orders(20));
      await types('generate');
      const clean = await types('check');
      expect(clean).toMatchObject({ code: 0 });
      expect(clean.stderr).toContain('looked at no event: there is none after position 20');
      await append('Order-1', placed(20));
      expect((await types('check')).stderr).toContain('looked at 1 event, after position 20 up to 21');

      await append(
        'Order-1',
        { type: 'OrderPlaced', data: { orderId: 1, status: 'lost', note: '' } },
        { type: 'OrderPlaced', data: { orderId: 2, total: null, status: 'open' } },
        { type: 'OrderPlaced', data: {}, schemaVersion: 2 },
        { type: 'OrderPaid', data: {} },
        { type: 'OrderPaid', data: {} },
      );
      const found = await types('check', '--json');
      expect(found.code).toBe(1);
      const { findings, events } = JSON.parse(found.stdout);
      expect(events).toBe(6);
      const sentences = findings.map((each: Record<string, string>) => `${each.kind}: ${each.subject} ${each.detail}`);
      expect(sentences).toEqual([
        'changed-field: OrderPlaced data.orderId is a number, and was always a text',
        'changed-field: OrderPlaced data.status is "lost", and was always one of "held", "open"',
        'missing-field: OrderPlaced data.total is missing, and was always there',
        'new-field: OrderPlaced data.note is new: a text',
        'changed-field: OrderPlaced data.total is null, and was always a number',
        'new-version: OrderPlaced has a new schema version, 2',
        'new-type: OrderPaid is a new type of events',
      ]);
      expect(findings[0]).toMatchObject({
        evidence: 'position 22, and 1 more event: evstore show 22',
        next: 'evstore types generate',
      });
      await types('generate');
      expect(await types('check', '--all')).toMatchObject({ code: 0 });
    }));

  test('check names the types that no projection and no saga handles', () =>
    withShop(async ({ types, append }) => {
      await append('Order-1', placed(1), { type: 'OrderPaid', data: {} });
      await append(
        'Other-1',
        { type: 'OrderPaid', data: {} },
        { type: 'Started', data: {} },
        { type: 'OrderShipped', data: {} },
      );
      await types('generate');
      expect((await types('check')).stderr).toContain('it was not checked which types they handle');
      mkdirSync(join(cwd, 'projections'));
      mkdirSync(join(cwd, 'sagas'));
      const table = "version: 1, table: { columns: { id: 'text' }, key: 'id' }, kind: 'table'";
      const projection = (name: string, rest: string) => `{ name: '${name}', ${table}, ${rest} }`;
      writeFileSync(
        join(cwd, 'projections/all.mjs'),
        [
          `export const placed = ${projection('placed', 'on: { OrderPlaced: () => undefined }')};`,
          `export const paid = ${projection('paid', "category: 'Order', on: { OrderPaid: () => undefined }")};`,
        ].join('\n'),
      );
      writeFileSync(
        join(cwd, 'sagas/ship.mjs'),
        "export const ship = { kind: 'saga', name: 'ship', version: 1, startOn: 'Started', steps: [{ kind: 'event', name: 'a', type: 'OrderShipped' }] };",
      );
      const found = await types('check', '--json');
      expect(found.code, found.stderr).toBe(1);
      expect(JSON.parse(found.stdout)).toMatchObject({
        findings: [
          {
            kind: 'unhandled-type',
            subject: 'OrderPaid',
            detail: 'of Other is handled by no projection and no saga',
            evidence: 'position 3: evstore show 3',
            next: 'evstore scaffold projection order-paid --from-store --events OrderPaid',
          },
        ],
        handlers: ['paid', 'placed', 'ship'],
      });
      expect(await types('check', '--ignore', 'OrderPaid')).toMatchObject({ code: 0 });
      const named = JSON.parse((await types('check', '--for', 'placed', '--json')).stdout);
      expect(named.findings.map((each: { subject: string }) => each.subject)).toEqual([
        'OrderPaid',
        'OrderShipped',
        'Started',
      ]);
      expect(await types('check', '--for', 'nothing')).toMatchObject({ code: 6 });
    }));

  test('check refuses to compare another store from the middle, and --all compares all of it', () =>
    withShop(async ({ types, append }) => {
      await append('Order-1', ...orders(3));
      await types('generate');
      const lock = read('evstore.types.json');
      writeFileSync(
        join(cwd, 'evstore.types.json'),
        lock.replace(/"seenToId": "[^"]*"/, '"seenToId": "00000000-0000-4000-8000-000000000000"'),
      );
      const refused = await types('check');
      expect(refused).toMatchObject({ code: 10, stdout: '' });
      expect(refused.stderr).toMatch(/next: evstore types check .*--all/);
      const all = await types('check', '--all');
      expect(all).toMatchObject({ code: 0 });
      expect(all.stderr).toContain('looked at 3 events, after position 0 up to 3');
    }));
});
