/** The guides in docs/: their code is compiled strictly and run with the packed program, and so are their commands. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findMissing, followGuide, readBlocks } from '../support/guide.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

const root = fileURLToPath(new URL('../..', import.meta.url));
const readPage = (path: string) => readFileSync(join(root, path), 'utf8');

/** Guides of which a reader can paste every block, in order, into an empty folder. */
const followed = [
  'first-projection.md',
  'changing-a-projection.md',
  'first-saga.md',
  'aggregates.md',
  'versions-and-upcasters.md',
  'testing.md',
];
/** Guides that need other processes: each has a test of its own below. */
const withOwnTest = ['library.md', 'http-service.md'];

test.each(followed)('%s: every file compiles, every command succeeds, and what it shows appears', async (guide) => {
  const { code, screen, missing } = await followGuide(guide);
  expect({ code, missing }, screen).toEqual({ code: 0, missing: [] });
});

test('each guide of the README is tested, and each page of docs/ is linked from the README', () => {
  const readme = readPage('README.md');
  const [guides = ''] = /^## Guides\n[\s\S]*?(?=^## )/m.exec(readme) ?? [];
  expect(pagesIn(guides).sort()).toEqual([...followed, ...withOwnTest].sort());
  const pages = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'));
  expect(pages.filter((page) => !pagesIn(readme).includes(page))).toEqual([]);
});

function pagesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\]\(docs\/([\w-]+\.md)/g)].map(([, page = '']) => page))];
}

test.each(followed)('%s: its links lead to pages', (guide) => {
  const links = [...readPage(`docs/${guide}`).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !existsSync(join(root, 'docs', link)))).toEqual([]);
});

test('a block that cannot be followed is refused, and output that differs is found', () => {
  expect(() => readBlocks('```ts\nconst a = 1;\n```\n')).toThrow("a block of 'ts'");
  expect(() => readBlocks('```text\n1 event\n```\n')).toThrow("a block of 'text'");
  const output = ['order_summary: at position 3,  2 events', 'in 12 ms'];
  expect(findMissing(['order_summary: at position 3, 2 events', 'in 900 ms'], output)).toEqual([]);
  expect(findMissing(['in 900 ms', 'order_summary: at position 4, 2 events'], output)).toHaveLength(1);
  expect(findMissing(['in 900 ms', 'order_summary: at position 3, 2 events'], output)).toHaveLength(1);
});

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
  writeFileSync(join(packed.folder, 'package.json'), '{"type":"module"}');
  mkdirSync(join(packed.folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(root, 'node_modules/@types/node'), join(packed.folder, 'node_modules/@types/node'), 'dir');
});
afterAll(() => packed.remove());

/** Writes the files that the blocks name in their first line. */
function writeFiles(guide: string): readonly string[] {
  const text = readFileSync(join(root, 'docs', guide), 'utf8');
  return [...text.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, file = '', code = '']) => {
    mkdirSync(dirname(join(packed.folder, file)), { recursive: true });
    writeFileSync(join(packed.folder, file), code);
    return file;
  });
}

function run(...words: readonly string[]) {
  return execa(process.execPath, words, { cwd: packed.folder, reject: false });
}

const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');

async function compile(files: readonly string[]): Promise<void> {
  const options = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--noEmit',
    '--ignoreConfig',
  ];
  const kinds = ['--module', 'nodenext', '--target', 'es2022', '--allowImportingTsExtensions', '--types', 'node'];
  const compiled = await run(join(root, 'node_modules/typescript/bin/tsc'), ...options, ...kinds, ...files);
  expect(compiled.stdout).toBe('');
}

test('your first aggregate', async () => {
  const files = writeFiles('aggregates.md');
  expect(files).toEqual(['aggregates/account.ts', 'program.ts', 'aggregates/account.test.ts']);
  await compile(files);
  const program = await run(tsx, 'program.ts');
  expect(program, program.stderr).toMatchObject({
    exitCode: 0,
    stdout: "the balance is 50\n2 { status: 'open', balance: 50 }",
  });
  const tested = await run(tsx, 'aggregates/account.test.ts');
  expect(tested, tested.stderr).toMatchObject({ exitCode: 0 });
  const env = { EVSTORE_URL: 'sqlite:./bank.db' };
  const created = await packed.evstore(['snapshots', 'create', 'account', 'Account-7', '--json'], { env });
  expect(created, created.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(created.stdout).snapshots).toEqual([{ streamId: 'Account-7', version: 2, result: 'stored' }]);
  const verified = await packed.evstore(['snapshots', 'verify', '--json'], { env });
  expect(JSON.parse(verified.stdout)).toEqual({ verified: 1, passedOver: 0, wrong: [] });
  // The program of another compiler begins at the snapshot that the command line made.
  const moved = "from './aggregates/account.ts'";
  const reading = `import { openStore } from 'evstore'; import { account } ${moved};
    let read = 0;
    const evolve = Object.fromEntries(Object.entries(account.evolve).map(([type, handle]: any) =>
      [type, (...given: any[]) => { read += 1; return handle(...given); }]));
    const store = await openStore('sqlite:./bank.db');
    const { version } = await store.load({ ...account, evolve } as any, '7');
    console.log(version, read);
    await store.close();`;
  writeFileSync(join(packed.folder, 'reading.ts'), reading);
  expect(await run(tsx, 'reading.ts')).toMatchObject({ stdout: '2 0' });
});

test('the library', async () => {
  const files = writeFiles('library.md');
  expect(files).toEqual(['mailer.ts', 'reactions/billing.ts', 'reactions/billing.test.ts']);
  await compile(files);
  const env = { EVSTORE_URL: 'sqlite:./shop.db' };
  const first = await run(tsx, 'mailer.ts');
  expect(first, first.stderr).toMatchObject({ exitCode: 0, stdout: 'mail for Order-7\ncaught up' });
  // It appends another event, and gets that one alone.
  const second = await run(tsx, 'mailer.ts');
  expect(second, second.stderr).toMatchObject({ exitCode: 0, stdout: 'mail for Order-7\ncaught up' });
  expect(await packed.evstore(['wait', 'mailer'], { env })).toMatchObject({ code: 0 });
  const tested = await run(tsx, 'reactions/billing.test.ts');
  expect(tested, tested.stderr).toMatchObject({ exitCode: 0 });
  const reacted = await packed.evstore(['run', 'billing', '--once', '--sagas', '--json'], { env });
  expect(reacted, reacted.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(reacted.stdout).reactions).toMatchObject([{ events: 2, appended: 2, error: null }]);
});

test('a small HTTP service', async () => {
  const files = writeFiles('http-service.md');
  expect(files).toEqual(['projections/order-summary.ts', 'service.ts', 'main.ts']);
  await compile(files);
  const env = { EVSTORE_URL: 'sqlite:./service.db', PORT: '0' };
  expect(await packed.evstore(['init', '--no-config'], { env })).toMatchObject({ code: 0 });
  const service = execa(process.execPath, [tsx, 'main.ts'], { cwd: packed.folder, env, reject: false });
  const runner = execa(packed.program, ['run'], { cwd: packed.folder, env, reject: false });
  try {
    const port = await new Promise<string>((resolve, reject) => {
      service.stdout?.on('data', (chunk: Buffer) => {
        const [, found] = /port: (\d+)/.exec(String(chunk)) ?? [];
        if (found !== undefined) resolve(found);
      });
      void service.then(({ stderr }) => reject(new Error(stderr)));
    });
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(`http://localhost:${port}${path}`, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const post = (eventId: string, price: number) =>
      ask('/orders/7', { method: 'POST', body: JSON.stringify({ eventId, price }) });
    let total = 0;
    for (let price = 1; price <= 20; price += 1) {
      const { status, body } = await post(`0190a6c2-0000-7000-8000-0000000000${10 + price}`, price);
      expect(status).toBe(201);
      total += price;
      expect(await askUntilReady(() => ask(`/orders/7?after=${body.position}`))).toEqual({
        status: 200,
        body: { orderId: 'Order-7', total, items: price },
      });
    }
    const again = await post('0190a6c2-0000-7000-8000-000000000030', 20);
    expect(again).toMatchObject({ status: 201 });
    expect(await ask(`/orders/7?after=${again.body.position}`)).toMatchObject({ body: { items: 20 } });
    expect(await post('0190a6c2-0000-7000-8000-000000000030', 21)).toMatchObject({ status: 409 });
    expect(await ask('/orders/8')).toMatchObject({ status: 404 });
    expect(await ask('/orders/7?after=99999')).toMatchObject({ status: 503 });
    expect(await ask('/orders/7?after=x')).toMatchObject({ status: 400 });
  } finally {
    service.kill('SIGTERM');
    runner.kill('SIGTERM');
    await Promise.all([service, runner]);
  }
  expect((await service).stderr).toBe('');
});

/** The runner may not have made the table yet, and a slow machine may need longer than the service waits. */
async function askUntilReady<A extends { readonly status: number }>(ask: () => Promise<A>): Promise<A> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
  }
}
