/** The real process: pipes that close, disks that are full, signals, and what is loaded. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import { makeFolder, runCli } from '../support/cli.js';
import { compileProgram } from '../support/compile.js';
import { runProgram } from '../support/program.js';
import { until } from '../support/wait.js';

let program: string;
let cwd: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  program = compileProgram('bin/evstore.ts');
  cwd = makeFolder();
  env = { ...process.env, EVSTORE_URL: `sqlite:${cwd}/store.db`, EVSTORE: `${process.execPath} ${program}` };
  await runCli(['init', '--no-config'], { cwd, env: { EVSTORE_URL: `sqlite:${cwd}/store.db` } });
  const line = (n: number) =>
    `{"streamId":"Order-${n % 10}","type":"Counted","data":{"n":${n},"pad":"${'x'.repeat(100)}"}}`;
  writeFileSync(join(cwd, 'many.ndjson'), Array.from({ length: 20_000 }, (_, index) => line(index)).join('\n'));
  const stdin = Array.from({ length: 20_000 }, (_, index) => line(index)).join('\n');
  expect(await runCli(['import', '-q'], { cwd, env: { EVSTORE_URL: `sqlite:${cwd}/store.db` }, stdin })).toMatchObject({
    code: 0,
  });
});

function shell(script: string) {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8', timeout: 30_000 });
  return { status, stdout, stderr };
}

test('a command with subcommands alone prints its help, exit 0', () => {
  for (const name of ['saga', 'scaffold']) {
    const { status, stdout, stderr } = shell(`$EVSTORE ${name}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Usage: evstore ${name}`);
  }
});

test('F15: a reader that has seen enough is exit 0, and no noise', () => {
  const { stdout, stderr } = shell('$EVSTORE read | head -1; echo $PIPESTATUS');
  expect(stdout).toMatch(/^\{"globalPosition":1,.*\n0\n$/);
  expect(stderr).toBe('');
});

test.runIf(process.platform === 'linux')('a tail ends when its reader goes, though nothing more is written', () => {
  const { stdout, stderr } = shell('$EVSTORE tail -n 1 | head -1; echo $PIPESTATUS');
  expect(stdout).toMatch(/^\{"globalPosition":20000,.*\n0\n$/);
  expect(stderr).toBe('');
});

test.runIf(process.platform === 'linux')('a full disk is exit 74', () => {
  const { status, stderr } = shell('$EVSTORE read > /dev/full');
  expect(status).toBe(74);
  expect(stderr).toContain('No space is left');
});

test('a signal ends a tail by that signal, so that loops around it stop', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const tail = runProgram('bin/evstore.ts', ['tail', '-n', '1'], { cwd, env });
    await tail.printed(1);
    tail.process.kill(signal);
    expect(await tail.ended).toBe(null);
    expect(tail.process.signalCode).toBe(signal);
    expect(tail.stderr).toContain('continue with: ');
    const untilItPrints = 'until [ -s printed ]; do sleep 0.02; done';
    const script = `rm -f printed; $EVSTORE tail -n 1 > printed & p=$!; ${untilItPrints}; kill -${signal.slice(3)} $p; wait $p`;
    expect(shell(script).status).toBe(code);
  }
});

test('an import that is stopped goes on where it was', async () => {
  const folder = makeFolder();
  const other = { ...env, EVSTORE_URL: `sqlite:${folder}/store.db` };
  await runProgram('bin/evstore.ts', ['init', '--no-config'], { cwd, env: other }).ended;
  const lines = Array.from(
    { length: 1_000 },
    (_, n) => `{"id":"${newEventId()}","streamId":"Order-${n % 7}","type":"T","data":{}}`,
  );
  const importing = () =>
    runProgram('bin/evstore.ts', ['import', '-', '--batch-size', '10', '--json'], { cwd, env: other });
  // Its input does not end: it is still at work when the signal comes.
  const stopped = importing();
  stopped.process.stdin.write(`${lines.slice(0, 500).join('\n')}\n`);
  const store = await openStoreAt(other.EVSTORE_URL);
  await until(async () => (await store.log.head()).head > 0);
  await store.close();
  stopped.process.kill('SIGINT');
  await stopped.ended;
  expect(stopped.process.signalCode).toBe('SIGINT');
  const rest = importing();
  rest.process.stdin.end(lines.join('\n'));
  expect(await rest.ended).toBe(0);
  const { imported, known } = JSON.parse(rest.lines[0] ?? '');
  expect(known).toBeGreaterThan(0);
  expect(imported + known).toBe(lines.length);
});

test('what nobody caught is a bug: exit 70, and the stack only with --debug', async () => {
  const preload = join(cwd, 'throw-later.mjs');
  // A frame of a file that is not evstore's would be laid on that file.
  const thrower = `() => {
    if (process.listenerCount('uncaughtException') === 0) return;
    throw Object.assign(new Error('out of nowhere'), { stack: 'Error\\n    at somewhere (node:net:1:1)' });
  }`;
  writeFileSync(preload, `setInterval(${thrower}, 10).unref();`);
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, ['--import', preload, program, 'tail', '-n', '0', ...argv], {
      cwd,
      env,
      encoding: 'utf8',
    });
  const plain = run();
  expect(plain).toMatchObject({ status: 70, stdout: '' });
  expect(plain.stderr).toContain('error: unexpected Error: out of nowhere (E_BUG)');
  expect(plain.stderr).not.toContain('    at ');
  expect(run('--debug').stderr).toContain('at somewhere (node:net:1:1)');
});

test('--version loads no package, --help commander and nothing heavy', () => {
  const hooks = `import { writeSync } from 'node:fs';
    export function load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context); }`;
  const preload = join(cwd, 'list-modules.mjs');
  const url = JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`);
  writeFileSync(preload, `import { register } from 'node:module';\nregister(${url});`);
  for (const [flag, loaded] of [
    ['--version', []],
    ['--help', ['commander']],
  ] as const) {
    const { stderr } = spawnSync(process.execPath, ['--import', preload, program, flag], { encoding: 'utf8', env });
    const packages = stderr.match(/(?<=\/node_modules\/)[^/\n]+/g) ?? [];
    expect([...new Set(packages)]).toEqual(loaded);
    expect(stderr).not.toMatch(/\/(postgres|sqlite|projection|saga|config|output)\//);
  }
});

test.each(['bash', 'zsh', 'fish'])('the completion for %s knows every command', async (name) => {
  const { stdout } = await runCli(['completion', name]);
  for (const word of ['append', 'rebuild', 'migrate', 'expected-version']) expect(stdout).toContain(word);
  if (name !== 'bash') return;
  const script = `${stdout}\nCOMP_WORDS=(evstore read --back) COMP_CWORD=2\n_evstore\necho "\${COMPREPLY[@]}"`;
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe('--backwards\n');
});
