/** `types` and `stats`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

forEachEngine((engine) => {
  function withCli(body: (cli: (...argv: string[]) => ReturnType<typeof runCli>) => Promise<void>): Promise<void> {
    return withTestStore(engine, ({ url }) => body((...argv) => runCli([...argv, '--store', url])));
  }

  test('types have counts, versions and fields; stats have sizes and days', () =>
    withCli(async (cli) => {
      expect(await cli('types', '--json')).toMatchObject({
        code: 0,
        stdout: '{"types":[],"events":0,"estimated":false}\n',
      });
      expect(await cli('stats')).toMatchObject({ code: 0 });
      await cli('append', 'Zamówienie-1', '--type', 'Złożono', '--data', '{"total":1,"items":[1]}');
      await cli('append', 'Zamówienie-1', '--type', 'Złożono', '--data', '{"total":null}', '--schema-version', '2');
      await cli('append', 'Order-2', '--type', 'OrderPaid');
      const types = JSON.parse((await cli('types', '--json')).stdout);
      expect(types).toMatchObject({
        events: 3,
        estimated: false,
        types: [
          {
            type: 'Złożono',
            events: 2,
            share: 2 / 3,
            schemaVersions: [1, 2],
            lastPosition: 2,
            fields: [
              { name: 'total', types: ['null', 'number'], optional: false },
              { name: 'items', types: ['array'], optional: true },
            ],
          },
          { type: 'OrderPaid', events: 1, fields: [] },
        ],
      });
      const table = (await cli('types', '-o', 'table', '-n', '1')).stdout;
      expect(table).toContain('Złożono       2   67 %');
      expect(table).toContain('{total, items[]?}');
      expect((await cli('types')).stdout.split('\n')[0]).toBe(
        'type\tevents\testimated\tshare\tfirstAt\tlastAt\tlastPosition\tschemaVersions\tfields',
      );
      const stats = JSON.parse((await cli('stats', '--exact', '--json')).stdout);
      expect(stats).toMatchObject({
        events: 3,
        streams: 2,
        estimated: false,
        largestStreams: [
          { streamId: 'Zamówienie-1', events: 2 },
          { streamId: 'Order-2', events: 1 },
        ],
        lastHour: [
          { type: 'Złożono', events: 2 },
          { type: 'OrderPaid', events: 1 },
        ],
      });
      expect(stats.bytes.tables.events).toBeGreaterThan(0);
      expect(stats.byDay.reduce((sum: number, day: { events: number }) => sum + day.events, 0)).toBe(3);
      const { stdout } = await cli('stats', '-o', 'table', '--times', 'iso');
      expect(stdout).toContain(`types of the last hour of the log (until ${stats.lastAt})`);
      expect((await cli('stats')).stderr).toContain(
        'a pipe gets the events by day; sizes, streams and types are in --json',
      );
      expect(stdout).toMatch(/^3 events {2}2 streams {2}/);
      expect(stdout).toContain('largest streams\n2  Zamówienie-1\n1  Order-2\n');
      expect((await cli('stats', '--since', '2999-01-01', '--json')).stdout).toContain('"events":0');
      expect(await cli('stats', '--since', 'soon')).toMatchObject({ code: 2 });
    }));

  test('stats --by hour and --by day: the default depends on the span, and a pipe has days unless told', () =>
    withCli(async (cli) => {
      const events = async (...times: string[]) => {
        const lines = times.map((createdAt) => ({ streamId: 'Order-1', type: 'OrderPlaced', data: {}, createdAt }));
        const file = join(makeFolder(), 'orders.ndjson');
        writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
        expect(await cli('import', file)).toMatchObject({ code: 0 });
      };
      await events('2026-01-31T08:10:00Z', '2026-01-31T08:50:00Z', '2026-01-31T09:00:00Z');
      const people = async (...argv: string[]) => (await cli('stats', '-o', 'table', ...argv)).stdout;
      expect(await people()).toMatch(/events by hour\n08:00 UTC {2}2 {2}█+\n09:00 UTC {2}1 {2}█+\n/);
      expect(await people('--by', 'day')).toMatch(/events by day\n2026-01-31 {2}3 /);
      expect((await cli('stats')).stdout).toBe('day\tevents\n2026-01-31\t3\n');
      expect((await cli('stats', '--by', 'hour')).stdout).toBe(
        'hour\tevents\n2026-01-31T08:00Z\t2\n2026-01-31T09:00Z\t1\n',
      );
      await events('2026-02-01T08:10:00Z');
      // The same hour of two days.
      expect(await people()).toMatch(/2026-01-31 08:00 UTC {2}2 {2}█+\n.*\n2026-02-01 08:00 UTC {2}1 /);
      await events('2026-03-01T08:10:00Z');
      expect(await people()).toContain('events by day\n2026-01-31  3 ');
      expect(await people('--by', 'hour')).toContain('events by hour\n2026-01-31 08:00 UTC  2 ');
      const { byDay, byHour } = JSON.parse((await cli('stats', '--json', '--by', 'hour')).stdout);
      expect(byDay.map(({ events: count }: { events: number }) => count)).toEqual([3, 1, 1]);
      expect(byHour.map(({ hour }: { hour: string }) => hour)).toContain('2026-03-01T08:00Z');
      expect(await cli('stats', '--by', 'week')).toMatchObject({ code: 2 });
    }));
});
