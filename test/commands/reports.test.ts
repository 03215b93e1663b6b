/** Every JSON report fits its schema in schemas/, and the schema describes every member of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalog } from '../../commands/catalog.js';
import type { Command } from '../../commands/options/command.js';
import { loaders } from '../../commands/program/loaders.js';
import type { Engine } from '../../src/store/store.js';
import { Stop } from '../../src/terminal/signals.js';
import { type CliResult, makeFolder, runCli } from '../support/cli.js';
import { forEachEngine } from '../support/engines.js';
import {
  assertFits,
  at,
  type Described,
  describeValues,
  fitsClosed,
  fitsShipped,
  follow,
  listPlaces,
  schemas,
} from '../support/report-schemas.js';
import { cases, makers, type ReportCase, readers, reports, withoutReport } from './report-cases.js';
import { enums } from './report-enums.js';
import { openReportShop, type ReportShop } from './report-shop.js';

/** Members that a report had, and schemas that one was held against. */
const seen = new Set<string>();
const held = new Set<string>();

interface Leaf {
  /** `read`, `saga list` … */
  readonly name: string;
  readonly command: Command;
}

/** What can be run. */
async function listCommands(): Promise<readonly Leaf[]> {
  const leavesOf = (command: Command): Leaf[] => {
    const [name = ''] = command.usage.split(' ');
    if (command.subcommands === undefined) return [{ name, command }];
    return command.subcommands.flatMap(leavesOf).map((leaf) => ({ ...leaf, name: `${name} ${leaf.name}` }));
  };
  const names = Object.keys(catalog) as (keyof typeof catalog)[];
  const commands = await Promise.all(names.map(async (name) => (await loaders[name]()).command));
  return commands.flatMap(leavesOf);
}

test('every command of the catalog has a schema for its report, or a reason why it prints none', async () => {
  const named = [...Object.keys(reports), ...Object.keys(withoutReport)];
  expect(named.sort()).toEqual((await listCommands()).map(({ name }) => name).sort());
});

test('a command with --dry-run says dryRun in each of its reports', async () => {
  const dry = (await listCommands()).filter(({ command }) => command.options.some(({ long }) => long === '--dry-run'));
  expect(dry.length).toBeGreaterThan(20);
  for (const { name } of dry) {
    for (const report of reports[name] ?? []) {
      const { $ref, required } = at(report).schema;
      if (['error', 'event', 'progress'].includes(report)) continue;
      expect($ref === undefined ? required : follow(report, $ref).schema.required, report).toContain('dryRun');
    }
  }
});

test('every schema is the report of a command, and every report has one', () => {
  const named = new Set([...Object.values(reports).flat(), 'common']);
  expect([...named].sort()).toEqual(Object.keys(schemas).sort());
});

test('every member has a description, and every object names its members or says that it is open', () => {
  for (const { place, schema } of listPlaces()) {
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      const { $ref, description = $ref === undefined ? '' : follow(place, $ref).schema.description } = member;
      expect(description, `${place}: ${name}`).toMatch(/[.…]$/);
    }
    if (schema.type !== 'object') continue;
    expect(schema.properties ?? schema.additionalProperties, place).toBeDefined();
    // A reader of today's reports must read those of later versions, too.
    expect(schema.additionalProperties, place).not.toBe(false);
  }
});

test('every list of values in a schema is that of the program', () => {
  const listed = [...listPlaces()].filter(({ schema }) => schema.enum !== undefined);
  expect(listed.map(({ place }) => place).sort()).toEqual(Object.keys(enums).sort());
  for (const { place, schema } of listed) expect(new Set(schema.enum), place).toEqual(new Set(enums[place]));
});

forEachEngine((engine) => {
  describe('on a store with trouble in it', () => checkAll(engine, 'full', cases));
  describe('on a store without events', () => checkAll(engine, 'empty', readers));
  describe('on a store without a schema', () => checkAll(engine, 'no schema', makers));
});

test('demo', async () => {
  const result = await runCli(['demo', '--json'], { cwd: makeFolder() });
  expect(result).toMatchObject({ code: 0 });
  check('demo', result.stdout, 'demo');
});

test('every schema was held against a report', () => {
  expect([...held].sort()).toEqual(
    Object.keys(schemas)
      .filter((name) => name !== 'common')
      .sort(),
  );
});

test('every member that a schema describes was in a report', () => {
  const members = [...listPlaces()].filter(({ place }) => /\/properties\/[^/]+$/.test(place));
  expect(members.length).toBeGreaterThan(200);
  expect(members.map(({ place }) => place).filter((place) => !seen.has(place))).toEqual([]);
});

function checkAll(engine: Engine, content: 'full' | 'empty' | 'no schema', all: readonly ReportCase[]): void {
  let shop: ReportShop;
  beforeAll(async () => {
    shop = await openReportShop(engine, content);
  });
  afterAll(() => shop?.cleanup());

  for (const each of all) {
    if (each.only !== undefined && each.only !== engine) continue;
    test(`evstore ${each.argv.join(' ')}`, async () => {
      const restore = await each.before?.(shop);
      const result = await run(shop, [...each.argv, '--json']);
      const lines = each.lines === undefined ? undefined : await run(shop, [...each.argv, '-o', 'ndjson']);
      if (typeof restore === 'function') await restore();
      const what = `evstore ${each.argv.join(' ')}`;
      expect(result.code, `${what}\n${result.stdout}${result.stderr}`).toBe(each.code ?? 0);
      // The log may have no event, and an error may leave nothing to report.
      if (each.code === undefined && each.schema !== 'event') expect(result.stdout, what).not.toBe('');
      check(each.schema, result.stdout, what);
      if (lines !== undefined) check(`${each.schema}.json${each.lines}`, lines.stdout, `${what} -o ndjson`);
      const told = result.stderr.split('\n').filter((line) => line.startsWith('{'));
      for (const line of told) check(line.startsWith('{"error":') ? 'error' : 'progress', line, `${what}, on stderr`);
      const isError = each.code !== undefined && each.isQuiet !== true;
      expect(
        told.filter((line) => line.startsWith('{"error":')),
        what,
      ).toHaveLength(isError ? 1 : 0);
    });
  }
}

/** What does not end by itself is stopped after two reports. */
async function run(shop: ReportShop, argv: readonly string[]): Promise<CliResult> {
  if (!argv.includes('--watch')) return shop.evstore(...argv);
  const stopping = new AbortController();
  const onOutput = (text: string) => {
    if (text.split('\n').length > 2 && !stopping.signal.aborted) stopping.abort(new Stop('SIGINT'));
  };
  const result = await shop.evstoreWith({ signal: stopping.signal, onOutput }, ...argv);
  return { ...result, code: result.code === 130 ? 0 : result.code };
}

/** @param text one report a line */
function check(place: string, text: string, what: string): void {
  const lines = text.split('\n').filter((line) => line !== '');
  for (const line of lines) {
    const report: unknown = JSON.parse(line);
    assertFits(place, report, what);
    const described = [...describeValues({ ...at(place), value: report })];
    for (const part of described) seen.add(part.place);
    held.add(at(place).place.replace(/\.json#.*$/, ''));
    expectTeeth(place, report, described);
  }
}

/** A member more, or one fewer, anywhere in the report: the closed schema refuses both, the shipped one only the latter. */
function expectTeeth(place: string, report: unknown, described: readonly Described[]): void {
  for (const { schema, value } of described) {
    if (schema.properties === undefined || typeof value !== 'object' || value === null) continue;
    const members = value as Record<string, unknown>;
    members.unheardOf = 1;
    expect({ place, shipped: fitsShipped(place, report), closed: fitsClosed(place, report) }).toEqual({
      place,
      shipped: true,
      closed: false,
    });
    delete members.unheardOf;
    const [first] = schema.required ?? [];
    if (first === undefined) continue;
    const before = members[first];
    delete members[first];
    expect({ place, first, shipped: fitsShipped(place, report) }).toEqual({ place, first, shipped: false });
    members[first] = before;
  }
}
