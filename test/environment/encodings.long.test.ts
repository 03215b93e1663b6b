/** Databases of other encodings and collations. */
import { afterAll, beforeAll, expect } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { checkOutcome, doMainJob, makeShop, runPacked } from './main-job.js';
import { describeRows, type Row } from './row.js';
import { startDurable, withNewDatabase } from './servers.js';

allowMoreTime('the main job is many processes');

let server: PostgresServer;
beforeAll(async () => {
  server = await startDurable({});
});
afterAll(() => server.stop());

const fixed = "template template0 lc_collate 'C' lc_ctype 'C'";
const icu = (locale: string) =>
  `template template0 encoding 'UTF8' locale 'C' locale_provider icu icu_locale '${locale}'`;

/** What follows `create database NAME`, and a word that such a database can hold. */
const databases: readonly (readonly [name: string, as: string, word: string])[] = [
  ['LATIN1', `${fixed} encoding 'LATIN1'`, 'Zürich'],
  ['LATIN2', `${fixed} encoding 'LATIN2'`, 'Łódź'],
  ['LATIN9', `${fixed} encoding 'LATIN9'`, '10€-œuvre'],
  ['KOI8R', `${fixed} encoding 'KOI8R'`, 'Москва'],
  ['KOI8U', `${fixed} encoding 'KOI8U'`, 'Київ'],
  ['EUC_JP', `${fixed} encoding 'EUC_JP'`, '東京'],
  ['SQL_ASCII', `${fixed} encoding 'SQL_ASCII'`, 'Łódź-📦'],
  ['UTF8, collation C', `${fixed} encoding 'UTF8'`, 'Łódź-订单-📦'],
  ['UTF8, ICU en-US', icu('en-US'), 'Łódź-订单-📦'],
  ['UTF8, ICU tr-TR', icu('tr-TR'), 'İstanbul-ılık'],
  ['UTF8, ICU et-EE', icu('et-EE'), 'Žiguli-õ'],
  ['UTF8, ICU without case, by numbers', icu('und-u-ks-level2-kn'), 'Straße-10'],
  [
    'UTF8, built-in C.UTF-8',
    "template template0 encoding 'UTF8' locale_provider builtin builtin_locale 'C.UTF-8'",
    'Łódź',
  ],
];

const mainJob: readonly Row[] = databases.map(([name, as, word]) => ({
  name,
  expected: 'the main job works',
  run: () => withNewDatabase(server, as, (place) => doMainJob({ ...place, word })),
}));

const others: readonly Row[] = [
  {
    name: 'LATIN1, a character that it does not have',
    expected: 'writes are refused with E_INVALID_INPUT, nothing is stored, and a filter finds nothing',
    run: () =>
      withNewDatabase(server, `${fixed} encoding 'LATIN1'`, async ({ url, raw }) => {
        const cwd = makeShop('Łódź');
        checkOutcome('init', await runPacked(['init', '--no-config'], { url, cwd }), 'works');
        for (const argv of [
          ['append', 'Order-1', '--type', 'OrderPlaced', '--data', '{"note":"Łódź"}'],
          ['append', 'Order-Łódź', '--type', 'OrderPlaced'],
          ['append', 'Order-1', '--type', 'Łódź'],
          ['append', 'Order-1', '--type', 'OrderPlaced', '--metadata', '{"correlationId":"Łódź"}'],
          ['import', 'orders.ndjson'],
        ]) {
          const result = await runPacked(argv, { url, cwd });
          checkOutcome(argv.join(' '), result, { exit: 2, says: 'E_INVALID_INPUT' });
          expect(result.stderr).toContain('LATIN1');
        }
        // Filters of the log are compared as text, or refused by the database: neither finds an event.
        for (const argv of [
          ['read', 'Order-Łódź'],
          ['read', '--type', 'Łódź'],
          ['read', '--category', 'Łódź'],
        ]) {
          const { code, stdout, stderr } = await runPacked(argv, { url, cwd });
          expect(stdout).toBe('');
          expect(code === 6 || stderr.includes('has no equivalent in encoding "LATIN1"'), stderr).toBe(true);
        }
        expect(await raw.query('select count(*) as events from events')).toEqual([{ events: '0' }]);
      }),
  },
  {
    name: 'UTF8, a read model whose key ignores case',
    expected: 'its rebuild is compared key by key, as the database compares them',
    run: () =>
      withNewDatabase(server, "encoding 'UTF8' template template0", async ({ url, raw }) => {
        await raw.query("create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
        const cwd = makeShop('Zürich');
        const evstore = async (...argv: string[]) => {
          checkOutcome(argv.join(' '), await runPacked(argv, { url, cwd }), 'works');
        };
        await evstore('init', '--no-config');
        await evstore('import', 'orders.ndjson');
        await evstore('run', '--once');
        for (const table of ['order_totals', 'order_notes']) {
          await raw.query(`alter table ${table} alter order_id type text collate nocase`);
        }
        await raw.query("update order_totals set order_id = 'ORDER-1' where order_id = 'Order-1'");
        await evstore('append', 'Order-1', '--type', 'OrderSent');
        await evstore('run', '--once');
        await evstore('verify');
      }),
  },
];

describeRows('a database of', [...mainJob, ...others]);
