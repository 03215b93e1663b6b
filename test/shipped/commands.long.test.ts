/**
 * Every command of the packed program, on a terminal of three widths and in a pipe, over a store with names that are not
 * ASCII, a failed projection, parked events, sagas in each state and, on Postgres, a safe head that is held back.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Command } from '../../commands/options/command.js';
import { loaders } from '../../commands/program/loaders.js';
import type { Engine } from '../../src/store/store.js';
import { createTestStore, forEachEngine, type TestStore } from '../support/engines.js';
import {
  correlationOf,
  type FullStore,
  instanceOf,
  makeFullStore,
  sagaStates,
  streams,
  types,
  writeProjections,
} from './full-store.js';
import { commandsIn, isShown, type Place, show, tooWide } from './terminal.js';

// One that waits for an answer would wait for ever.
vi.setConfig({ testTimeout: 60_000 });

const places: readonly Place[] = [140, 80, 50, 'pipe'];
const live = 'zamowienia_w_toku_wszystkich_magazynow';

interface Case {
  readonly argv: (place: Place) => readonly string[];
  /** Any of these. Default 0. */
  readonly code?: number | readonly number[];
  /** What must be shown, whole or cut with an ellipsis. */
  readonly names?: readonly string[];
  /** Run in a pipe before, at each place. */
  readonly before?: readonly (readonly string[])[];
  /** Statements and scripts, which are copied: their lines stay whole. */
  readonly isSource?: boolean;
  /** Where this command does the same on both. */
  readonly only?: Engine;
}

const projections = [live, 'failing_orders', 'parked_orders'];
const instances = sagaStates.map(instanceOf);

const readers: Readonly<Record<string, readonly Case[]>> = {
  // What it finds depends on the server.
  doctor: [{ argv: () => ['doctor'], code: [0, 1] }],
  verify: [{ argv: () => ['verify'] }],
  'migrate status': [{ argv: () => ['migrate', 'status'] }],
  'migrate assert': [{ argv: () => ['migrate', 'assert'] }],
  'migrate sql': [{ argv: () => ['migrate', 'sql'], isSource: true }],
  read: [
    { argv: () => ['read'], names: [...streams, ...types] },
    { argv: () => ['read', streams[1]], names: [streams[1], ...types] },
    { argv: () => ['read', 'Zamówienie-Łódź-źdźbl'], code: 6, names: [streams[0]] },
  ],
  tail: [{ argv: () => ['tail', '-n', '100', '--no-follow'], names: [...streams, ...types] }],
  show: [
    { argv: () => ['show', '1', '2'], names: [streams[0], types[1]] },
    { argv: () => ['show', 'Zamówienie-Łódź-źdźbl'], code: 6 },
  ],
  trace: [
    { argv: () => ['trace', correlationOf('compensated')], names: [instanceOf('compensated'), 'WysyłkaZlecona'] },
    { argv: () => ['trace', 'nic-takiego'], code: 6 },
  ],
  explain: [
    { argv: () => ['explain'], names: ['E_VERSION_CONFLICT', 'E_DIVERGED'] },
    { argv: () => ['explain', 'E_HANDLER'], names: ['E_HANDLER'] },
    { argv: () => ['explain', 'E_HANDLRE'], code: 6, names: ['E_HANDLER'] },
  ],
  version: [{ argv: () => ['version'], names: [] }],
  'types list': [{ argv: () => ['types'], names: types }],
  'types check': [{ before: [['types', 'generate']], argv: () => ['types', 'check'], code: [0, 1] }],
  stats: [{ argv: () => ['stats'] }, { argv: () => ['stats', '--by', 'hour'] }],
  streams: [
    { argv: () => ['streams'], names: [...streams, ...instances] },
    { argv: () => ['streams', '--sort', 'size'], names: [...streams, ...instances] },
  ],
  export: [{ argv: (place) => ['export', '--to', `zdarzenia-${place}.ndjson`] }],
  'projections list': [{ argv: () => ['projections'], names: [...projections, 'never_run_yet'] }],
  state: [
    { argv: () => ['state', streams[0], '--projection', live], names: [streams[0], live, 'stream_id'] },
    { argv: () => ['state', streams[0], '--projection', live, '--history'], names: [streams[0], ...types] },
    { argv: () => ['state', streams[0], '--projection', live, '--diff', '1', '3'], names: [streams[0], 'events'] },
    { argv: () => ['state', streams[0]], code: 2, names: [live] },
  ],
  rows: [
    { argv: () => ['rows', live], names: streams },
    { argv: () => ['rows', live, streams[1]], names: [streams[1]] },
    { argv: () => ['rows', live, '--where', "stream_id like 'Zam%'", '--sort', 'events:desc'], names: [streams[0]] },
    { argv: () => ['rows', 'parked_order'], code: 6, names: ['parked_orders'] },
  ],
  'snapshots list': [{ argv: () => ['snapshots'], names: [streams[0]] }],
  'snapshots show': [
    { argv: () => ['snapshots', 'show', streams[0]], names: ['źdźbło'] },
    { argv: () => ['snapshots', 'show', streams[1]], code: 6, names: [streams[1]] },
  ],
  'snapshots verify': [{ argv: () => ['snapshots', 'verify'] }],
  'checkpoints list': [{ argv: () => ['checkpoints'], names: [...projections, 'saga:wysylka'] }],
  'checkpoints history': [{ argv: () => ['checkpoints', 'history'] }],
  'config show': [{ argv: () => ['config', 'show', '--sources'] }],
  'config path': [{ argv: () => ['config', 'path'], code: 6, names: ['E_NOT_FOUND'] }],
  'parked list': [
    { argv: () => ['parked'], names: types.slice(1) },
    { argv: () => ['parked', '-n', '50'], names: [...streams, ...types.slice(1)] },
  ],
  'parked show': [{ argv: () => ['parked', 'show', 'parked_orders', '2'], names: [streams[0], types[1]] }],
  'saga list': [{ argv: () => ['saga', 'list'], names: [...instances, ...sagaStates] }],
  'saga overdue': [{ argv: () => ['saga', 'overdue'], code: 1, names: [instanceOf('compensation-failed')] }],
  'saga show': [{ argv: () => ['saga', 'show', 'wysylka', instanceOf('compensation-failed')], names: ['reserve'] }],
  lag: [
    { argv: () => ['lag'], names: [...projections, 'saga:wysylka'] },
    { argv: () => ['lag', '--max-lag', '0'], code: 1, names: projections },
  ],
  wait: [
    { argv: () => ['wait', live, '--position', '1'], names: [live] },
    { argv: () => ['wait', live, '--timeout', '10ms'], code: 7, names: [live] },
  ],
  completion: ['bash', 'zsh', 'fish'].map((shell) => ({ argv: () => ['completion', shell], isSource: true })),
};

const rebuild = (...flags: string[]) => ['rebuild', live, '--restart', ...flags];

const writers: Readonly<Record<string, readonly Case[]>> = {
  init: [{ argv: () => ['init'] }],
  'migrate up': [{ argv: () => ['migrate', 'up'] }],
  append: [
    { argv: () => ['append', streams[0], '--type', types[2], '--data', '{"opis":"źdźbło 📦"}'], names: [streams[0]] },
    {
      argv: () => ['append', streams[0], '--type', types[2], '--expected-version', 'none'],
      code: 4,
      names: [streams[0]],
    },
  ],
  import: [{ argv: () => ['import', 'zdarzenia-事件.ndjson'] }],
  'types generate': [
    { argv: () => ['types', 'generate'] },
    { argv: () => ['types', 'generate', '--dry-run'], names: types, isSource: true },
  ],
  bench: [{ argv: () => ['bench', '--duration', '100ms'] }],
  run: [
    { argv: () => ['run', live, '--once'], names: [live] },
    { argv: () => ['run', 'failing_orders', '--once'], code: 9, names: ['failing_orders', types[1]] },
  ],
  repair: [{ argv: () => ['repair', live, '--stream', streams[1]], names: [live] }],
  'projections forget': [
    { argv: () => ['projections', 'forget', 'parked_orders', '--keep-tables', '--dry-run'], names: ['parked_orders'] },
  ],
  'projections rename': [
    { argv: () => ['projections', 'rename', 'parked_ordres', live, '--dry-run'], code: 6, names: ['parked_orders'] },
  ],
  'checkpoints set': [{ argv: () => ['checkpoints', 'set', live, '--to', '3'], names: [live] }],
  'checkpoints reset': [{ argv: () => ['checkpoints', 'reset', 'failing_orders', '--execute'] }],
  'checkpoints delete': [{ argv: () => ['checkpoints', 'delete', live], names: [live] }],
  'parked retry': [{ argv: () => ['parked', 'retry', 'parked_orders'], code: 9, names: streams }],
  'parked discard': [
    { argv: () => ['parked', 'discard', 'parked_orders', '--stream', streams[2], '--dry-run'], names: [streams[2]] },
  ],
  'snapshots create': [{ argv: () => ['snapshots', 'create', 'zamowienie', '--all'], code: 6 }],
  'snapshots delete': [{ argv: () => ['snapshots', 'delete', streams[1]], code: 6, names: [streams[1]] }],
  'saga cancel': [
    {
      argv: () => ['saga', 'cancel', 'wysylka', instanceOf('compensation-failed'), '--reason', 'źdźbło'],
      code: 2,
      names: [instanceOf('compensation-failed')],
    },
  ],
  'saga retry': [{ argv: () => ['saga', 'retry', 'wysylka', instanceOf('compensation-failed')], code: 1 }],
  'scaffold projection': [{ argv: () => ['scaffold', 'projection', 'order-summary', '--dry-run'] }],
  'scaffold saga': [{ argv: () => ['scaffold', 'saga', 'order-fulfilment', '--dry-run'] }],
  'scaffold aggregate': [{ argv: () => ['scaffold', 'aggregate', 'shop-order', '--dry-run'] }],
  'scaffold reaction': [{ argv: () => ['scaffold', 'reaction', 'order-follow-up', '--dry-run'] }],
  'scaffold upcaster': [{ argv: () => ['scaffold', 'upcaster', 'order-source', '--dry-run'] }],
  demo: [{ argv: (place) => ['demo', '--dir', `demo-${place}`], only: 'sqlite' }],
};

/** With code of version 2. */
const rebuilders: Readonly<Record<string, readonly Case[]>> = {
  rebuild: [
    { argv: () => rebuild('--dry-run'), names: [live] },
    { argv: () => rebuild('--verify', 'full', '--max-diff', '0'), names: [live] },
  ],
  diff: [{ argv: () => ['diff', live], before: [rebuild('--no-swap')], names: [live] }],
  swap: [{ argv: () => ['swap', live, '--yes'], before: [rebuild('--no-swap')], names: [live] }],
  rollback: [{ argv: () => ['rollback', live, '--yes'], before: [rebuild()], names: [live] }],
  abort: [{ argv: () => ['abort', live, '--yes'], before: [rebuild('--no-swap')], names: [live] }],
  gc: [{ argv: () => ['gc', '--now', '--yes'], before: [rebuild()] }],
};

/** `read`, `saga list` …: what can be run. */
async function listCommands(): Promise<string[]> {
  const leavesOf = ({ usage, subcommands = [] }: Command): string[] => {
    const [name = ''] = usage.split(' ');
    if (subcommands.length === 0) return [name];
    return subcommands.flatMap(leavesOf).map((leaf) => `${name} ${leaf}`);
  };
  const commands = await Promise.all(Object.values(loaders).map((load) => load()));
  return commands.flatMap(({ command }) => leavesOf(command));
}

test('every command of the catalog is in this suite', async () => {
  expect([...Object.keys(readers), ...Object.keys(writers), ...Object.keys(rebuilders)].sort()).toEqual(
    (await listCommands()).sort(),
  );
});

forEachEngine((engine) => {
  let store: TestStore;
  let full: FullStore;
  beforeAll(async () => {
    store = await createTestStore(engine, { migrated: false });
    full = await makeFullStore(store.url);
    await store.raw.query(
      `insert into snapshots (stream_id, snapshot_data, version) values ('${streams[0]}', '{"opis":"źdźbło"}', 2)`,
    );
  });
  afterAll(async () => {
    full?.packed.remove();
    await store?.cleanup();
  });

  async function check({ argv, code = 0, names = [], before = [], isSource = false }: Case, place: Place) {
    for (const each of before) await full.evstore(each);
    const words = argv(place);
    const shown = await show(full.packed, place, words, full.env);
    const what = `evstore ${words.join(' ')} (${place}):\n${shown.screen}`;
    expect([code].flat(), what).toContain(shown.code);
    if (!isSource) expect(tooWide(shown.screen, place), what).toEqual([]);
    const missing = names.filter((name) =>
      place === 'pipe' ? !shown.screen.includes(name) : !isShown(name, shown.screen),
    );
    expect(missing, what).toEqual([]);
    return shown.screen;
  }

  describe('reading', () => {
    beforeAll(async () => {
      if (engine === 'sqlite') return;
      // An open transaction holds the safe head back.
      const writer = await store.connect();
      await writer.query(`begin; insert into events (id, stream_id, stream_type, event_type, event_data, version)
        values (gen_random_uuid(), 'Otwarte-1', 'Otwarte', 'Otwarte', '{}', 1)`);
      await full.evstore(['append', streams[0], '--type', types[0]]);
      return () => writer.query('rollback').then(() => {});
    });

    for (const [name, cases] of Object.entries(readers)) {
      test(name, async () => {
        for (const each of cases) {
          const screens = await Promise.all(places.map((place) => check(each, place)));
          // In a pipe nothing is broken into lines.
          for (const command of commandsIn(screens.at(-1) ?? '')) {
            for (const [index, screen] of screens.entries()) expect(screen, `${places[index]}`).toContain(command);
          }
        }
      });
    }
  });

  describe('writing', () => checkInTurn(writers));

  describe('rebuilding', () => {
    beforeAll(() => writeProjections(full.packed.folder, 2));
    checkInTurn(rebuilders);
  });

  function checkInTurn(commands: Readonly<Record<string, readonly Case[]>>): void {
    for (const [name, cases] of Object.entries(commands)) {
      test(name, async () => {
        for (const each of cases) {
          if (each.only !== undefined && each.only !== engine) continue;
          for (const place of places) await check(each, place);
        }
      });
    }
  }
});
