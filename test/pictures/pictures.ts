/**
 * Pictures of what people see, as text files to look at: commands over a store in trouble, in terminals of three widths.
 * Needs tmux. Build first: the pictures are of dist/.
 *
 *   npm run pictures -- --to /tmp/pictures [--engine postgres] [--only lag,tail] [--folder /tmp/made-before]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres } from '../support/postgres-server.js';
import { makeTrouble, program, type Trouble } from './trouble.js';

const widths = [140, 80, 50];
const height = 45;
const socket = `pictures-${process.pid}`;

/** Those that do not end are looked at while they run. */
const commands: Readonly<Record<string, string>> = {
  tail: 'tail -n 12',
  read: 'read --after 2250 -n 16',
  'read-long': 'read Zamówienie-Łódź-źdźbło -o long',
  lag: 'lag',
  'lag-watch': 'lag --watch 1s',
  doctor: 'doctor',
  'saga-list': 'saga list',
  'saga-show': 'saga show refund Order-5',
  'saga-overdue': 'saga overdue --older-than 0ms',
  parked: 'parked',
  'parked-rows': 'parked -n 5',
  'parked-show': 'parked show shipments 3000',
  diff: 'diff order_summary',
  types: 'types',
  stats: 'stats',
  trace: 'trace cancel-5',
  show: 'show 2251',
  state: 'state Order-2 --projection order_summary --history',
  rows: 'rows order_summary -n 8',
  streams: 'streams --sort recent -n 12',
  snapshots: 'snapshots',
  projections: 'projections',
  checkpoints: 'checkpoints',
  verify: 'verify',
  'not-found': 'state Permit-0',
};
const endless = ['tail', 'lag-watch'];

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: join(tmpdir(), 'pictures') },
    engine: { type: 'string', default: 'sqlite' },
    only: { type: 'string' },
    folder: { type: 'string' },
  },
});
const chosen = Object.keys(commands).filter((name) => values.only?.split(',').includes(name) ?? true);
mkdirSync(values.to, { recursive: true });
if (values.engine === 'postgres') await picturePostgres();
else await pictureSqlite();

/** A store that was made before is used again, which takes a minute less. */
async function pictureSqlite(): Promise<void> {
  const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'pictures-'));
  mkdirSync(folder, { recursive: true });
  const url = `sqlite:${join(folder, 'shop.db')}`;
  const isMade = existsSync(join(folder, 'shop.db'));
  const trouble = isMade ? { folder, env: { EVSTORE_URL: url } } : await makeTrouble(folder, url);
  await takeAll(trouble, 'sqlite').finally(() => {
    if (values.folder === undefined) rmSync(folder, { recursive: true });
  });
}

/** With an open transaction that holds readers back. */
async function picturePostgres(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
  const server = await startPostgres();
  const writer = new pg.Client({ connectionString: server.url, application_name: 'nightly-etl' });
  try {
    const trouble = await makeTrouble(folder, server.url);
    await writer.connect();
    await writer.query('begin');
    await insert(writer, 'Etl-1');
    const other = new pg.Client({ connectionString: server.url });
    await other.connect();
    for (let order = 0; order < 512; order += 1) await insert(other, `Late-${order}`);
    await other.end();
    await takeAll(trouble, 'postgres');
  } finally {
    await writer.end();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}

async function insert(client: pg.Client, streamId: string): Promise<void> {
  const text = `insert into events (id, stream_id, stream_type, event_type, event_data, version)
    values (gen_random_uuid(), $1, 'Etl', 'Loaded', '{"rows": 12}', 1)`;
  await client.query(text, [streamId]);
}

async function takeAll(trouble: Trouble, engine: string): Promise<void> {
  // The server of tmux would end with its last session, while the next one begins.
  tmux('new-session', '-d', '-s', 'keep', 'sleep', '3600');
  try {
    for (const name of chosen) {
      for (const width of widths) {
        writeFileSync(join(values.to, `${name}-${engine}-${width}.txt`), await takePicture(name, width, trouble));
      }
    }
  } finally {
    tmux('kill-server');
  }
}

async function takePicture(name: string, width: number, { folder, env }: Trouble): Promise<string> {
  const line = `${process.execPath} ${program} ${commands[name]}; printf '[exit %s]' $?; sleep 600`;
  const settings = Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const size = ['-x', String(width), '-y', String(height)];
  tmux('new-session', '-d', '-s', name, ...size, '-c', folder, ...settings, '-e', 'LANG=C.UTF-8', 'sh', '-c', line);
  const look = () => tmux('capture-pane', '-p', '-t', name, '-S', '-');
  for (let tries = 0; tries < 300 && !/\[exit \d+\]/.test(look()); tries += 1) {
    if (endless.includes(name) && tries > 40) break;
    await sleep(100);
  }
  const picture = look().trimEnd();
  tmux('kill-session', '-t', name);
  return `$ evstore ${commands[name]}\n${picture}\n`;
}

function tmux(...argv: readonly string[]): string {
  return execFileSync('tmux', ['-u', '-L', socket, '-f', '/dev/null', ...argv], { encoding: 'utf8' });
}
