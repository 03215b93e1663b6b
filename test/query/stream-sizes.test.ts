/** Streams by bytes: added up where that is cheap or asked for, otherwise from some events of the likely ones. */
import { expect, test } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { measureStreams, type StreamSizesOptions } from '../../src/query/stream-sizes.js';
import type { Store } from '../../src/store/store.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';

const seen: number[] = [];
const estimating: StreamSizesOptions = {
  exact: false,
  progress: (done) => seen.push(done),
  signal: new AbortController().signal,
};
const counting = { ...estimating, exact: true };

const total = 60_000;
const payload = (length: number) => `"${'x'.repeat(length - 2)}"`;

/** By events the long one is the largest, by bytes the fat ones of the same category are. */
function streamOf(index: number): readonly [streamId: string, data: string] {
  if (index % 20 === 0) return ['Order-long', payload(20)];
  if (index % 100 === 1) return ['Order-fat', payload(2_000 + (index % 200 === 1 ? 400 : 0))];
  if (index % 400 === 2) return ['Order-fat-short', payload(2_000)];
  return [`Order-${Math.floor(index / 10)}`, payload(20)];
}

async function fill(store: Store): Promise<void> {
  for (let from = 0; from < total; from += 4_000) {
    const events = Array.from({ length: 4_000 }, (_, offset) => {
      const [streamId, data] = streamOf(from + offset);
      return { id: newEventId(), streamId, type: 'T', schemaVersion: 1, data, metadata: '{}' };
    });
    await store.log.importEvents(events, { conflict: 'fail' });
  }
}

const [longBytes, fatBytes, shortBytes] = [3_000 * 22, 300 * 2_002 + 300 * 2_402, 150 * 2_002];

forEachEngine((engine) => {
  test('large payloads come first though other streams have more events', () =>
    withTestStore(engine, async ({ store, url }) => {
      await fill(store);
      const counted = await measureStreams(store, { ...counting, limit: 3 });
      expect(counted.estimated).toBe(false);
      expect(counted.streams).toMatchObject([
        { streamId: 'Order-fat', events: 600, bytes: fatBytes, estimated: false },
        { streamId: 'Order-fat-short', events: 150, bytes: shortBytes, estimated: false },
        { streamId: 'Order-long', events: 3_000, bytes: longBytes, estimated: false },
      ]);
      expect(seen.at(-1)).toBe(total);

      for (const options of [{ limit: 3 }, {}, { limit: 3, category: 'Order' }, { limit: 3, prefix: 'Ord' }]) {
        const { estimated, streams } = await measureStreams(store, { ...estimating, ...options });
        expect(estimated).toBe(true);
        expect(streams.slice(0, 2)).toMatchObject([
          { streamId: 'Order-fat', events: 600, estimated: true },
          // So few events are all looked up.
          { streamId: 'Order-fat-short', events: 150, bytes: shortBytes, estimated: false },
        ]);
        expect((streams[0]?.bytes ?? 0) / fatBytes).toBeGreaterThan(0.9);
        expect((streams[0]?.bytes ?? 0) / fatBytes).toBeLessThan(1.1);
        if (options.limit === undefined) {
          const long = streams.find(({ streamId }) => streamId === 'Order-long');
          expect(long).toMatchObject({ bytes: longBytes, estimated: true });
        } else expect(streams).toHaveLength(3);
      }
      expect((await measureStreams(store, { ...estimating, category: 'Other' })).streams).toEqual([]);

      const cli = (...argv: string[]) => runCli(['streams', '--sort', 'size', '-n', '2', ...argv, '--store', url]);
      const table = await cli('-o', 'table');
      expect(table.stdout).toMatch(/Order-fat .* ~1\.\d MB\n/);
      expect(table.stdout).toMatch(/Order-fat-short .* 300 kB\n/);
      expect(table.stderr).toContain('--exact reads all of it');
      const [heading, first] = (await cli()).stdout.split('\n');
      expect(heading).toBe('streamId\tstreamType\tevents\tlastPosition\tfirstAt\tlastAt\tbytes\testimated');
      expect(first).toMatch(/^Order-fat\t.*\ttrue$/);
      const exact = await cli('--exact', '--json');
      expect(JSON.parse(exact.stdout).streams).toMatchObject([
        { streamId: 'Order-fat', bytes: fatBytes, estimated: false },
        {},
      ]);
      expect((await cli('--exact')).stderr).toMatch(/^streams: .* of 60,000/m);
    }));

  test('a reader can stop it', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent()]);
      const signal = AbortSignal.abort(new Error('stopped'));
      await expect(measureStreams(store, { ...counting, signal })).rejects.toThrow('stopped');
    }));

  test('a small log is added up, in UTF-8, and other orders have no bytes', () =>
    withTestStore(engine, async ({ store, url }) => {
      const cli = (...argv: string[]) => runCli(['streams', ...argv, '--store', url]);
      expect((await cli('--sort', 'size', '--json')).stdout).toBe('{"streams":[]}\n');
      await append(store, 'A', [makeEvent({ data: '1', metadata: '{}' }), makeEvent({ data: '2', metadata: '{}' })]);
      await append(store, 'B', [makeEvent({ data: '"zażółć"', metadata: '{}' })]);
      expect(JSON.parse((await cli('--sort', 'size', '--json')).stdout).streams).toMatchObject([
        { streamId: 'B', events: 1, bytes: 14, estimated: false },
        { streamId: 'A', events: 2, bytes: 6, estimated: false },
      ]);
      expect((await cli('--sort', 'size', '-q')).stdout).toBe('B\nA\n');
      expect((await cli('--sort', 'events', '--json')).stdout).not.toContain('bytes');
      expect(await cli('--sort', 'size', '--prefix', 'C')).toMatchObject({ code: 6 });
      const refused = await cli('--exact');
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.stderr).toContain('evstore streams --exact');
      expect(refused.stderr).toContain('--sort size');
    }));
});
