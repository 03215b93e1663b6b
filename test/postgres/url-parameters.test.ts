/** Parameters of the URL: each has its effect on the database, or the command is refused. */
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { withTestStore } from '../support/engines.js';

const withoutSchema = { migrated: false };

test.each(['schema=shop', 'currentSchema=shop', 'options=-c%20search_path%3Dshop'])(
  '?%s makes the tables in shop',
  (query) =>
    withTestStore(
      'postgres',
      async ({ url, raw }) => {
        const store = `${url}?${query}`;
        expect((await runCli(['init', '--print-sql', '--store', store])).stdout).toContain('"shop".events');
        expect((await runCli(['init', '--store', store])).code).toBe(0);
        const append = ['append', 'Order-1', '--type', 'OrderPlaced', '--data', '{}', '--store', store];
        expect((await runCli(append)).code).toBe(0);
        expect(await raw.query("select schemaname from pg_tables where tablename = 'events'")).toEqual([
          { schemaname: 'shop' },
        ]);
      },
      withoutSchema,
    ),
);

test.each([
  ['bogus=1', 'unknown parameter \\"bogus\\"'],
  ['ssl=true', 'does not support SSL'],
  ['ssl=no-verify', 'does not support SSL'],
])('?%s is refused, and nothing is made', (query, reason) =>
  withTestStore(
    'postgres',
    async ({ url, raw }) => {
      const { code, stderr } = await runCli(['init', '--store', `${url}?${query}`, '--json']);
      expect(code).not.toBe(0);
      expect(stderr).toContain(reason);
      expect(await raw.query("select tablename from pg_tables where tablename = 'events'")).toEqual([]);
    },
    withoutSchema,
  ),
);
