/** A SQLite store on a disk that is mounted read-only, where SQLite cannot create the journal that it needs to read. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import { runCli } from '../support/cli.js';
import { append, makeEvents } from '../support/events.js';
import { connectSqlite } from '../support/raw.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-mount-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('F9: a store on a read-only mount', () => {
  /** A store of three events on a small disk that is mounted read-only. */
  async function onReadOnlyMount(
    skip: (reason: string) => never,
    prepare: (path: string) => Promise<void>,
    work: (path: string, remount: (mode: 'ro' | 'rw') => void) => Promise<void>,
  ): Promise<void> {
    const place = mkdtempSync(join(folder, 'mount-'));
    const path = join(place, 'store.db');
    const remount = (mode: string) => execFileSync('mount', ['-o', `remount,${mode}`, place], { stdio: 'pipe' });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', place], { stdio: 'pipe' });
    } catch {
      return skip('this account may not mount a small disk');
    }
    try {
      const store = await openStoreAt(`sqlite:${path}`, { create: true });
      await store.schema.migrate();
      await append(store, 'Order-1', makeEvents(3));
      await store.close();
      await prepare(path);
      remount('ro');
      await work(path, remount);
    } finally {
      execFileSync('umount', ['-l', place], { stdio: 'pipe' });
    }
  }

  const nothing = async () => {};
  const onFile = (path: string, ...args: string[]) => runCli([...args, '--store', `sqlite:${path}`]);

  it('every command that reads works, and says that it reads a copy', (context) =>
    onReadOnlyMount(context.skip, nothing, async (path) => {
      for (const args of [['read'], ['export'], ['streams'], ['lag'], ['projections'], ['verify'], ['doctor']]) {
        const { code, stdout, stderr } = await onFile(path, ...args);
        expect(code, `${args}: ${stderr}`).toBe(0);
        expect(stderr).toContain('reading a copy in memory');
        if (['read', 'export'].includes(args[0] ?? '')) expect(stdout.trim().split('\n')).toHaveLength(3);
      }
      for (const args of [
        ['append', 'Order-1', '--type', 'T'],
        ['import', '/dev/null'],
        ['init', '--no-config'],
      ]) {
        const { code, stderr } = await onFile(path, ...args);
        expect({ args, code }).toEqual({ args, code: 3 });
        expect(stderr).toMatch(/the folder is read-only.*E_READ_ONLY/);
      }
    }));

  it('a store in journal mode delete is read too', (context) => {
    const prepare = async (path: string) => {
      const raw = connectSqlite(path);
      await raw.query('pragma journal_mode = delete');
      await raw.close();
    };
    return onReadOnlyMount(context.skip, prepare, async (path) => {
      const { code, stdout, stderr } = await onFile(path, 'read');
      expect(code, stderr).toBe(0);
      expect(stdout.trim().split('\n')).toHaveLength(3);
    });
  });

  it('events in the write-ahead log alone are not passed over: it says which files to copy', (context) => {
    const prepare = async (path: string) => {
      const raw = connectSqlite(path);
      await raw.query(
        "insert into events (stream_id, event_type, event_data, version) values ('Order-1', 'T', '{}', 4)",
      );
      const log = readFileSync(`${path}-wal`);
      const file = readFileSync(path);
      await raw.close();
      writeFileSync(path, file);
      writeFileSync(`${path}-wal`, log);
    };
    return onReadOnlyMount(context.skip, prepare, async (path) => {
      const { code, stdout, stderr } = await onFile(path, 'read');
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('E_READ_ONLY');
      const [, command = ''] = /^next: (cp .*) \.$/m.exec(stderr) ?? [];
      const copy = mkdtempSync(join(folder, 'copy-'));
      execFileSync('sh', ['-c', `${command} ${copy}`]);
      const { stdout: copied } = await onFile(join(copy, 'store.db'), 'read');
      expect(copied.trim().split('\n')).toHaveLength(4);
    });
  });

  it('a tail says that the file changed, instead of waiting for ever', (context) =>
    onReadOnlyMount(context.skip, nothing, async (path, remount) => {
      let isChanged = false;
      const { code, stderr } = await runCli(['tail', '--from', 'start', '--store', `sqlite:${path}`], {
        onOutput: () => {
          if (isChanged) return;
          isChanged = true;
          remount('rw');
          const raw = new Database(path);
          raw.exec("insert into events (stream_id, event_type, event_data, version) values ('Order-1', 'T', '{}', 4)");
          raw.close();
        },
      });
      expect(code).toBe(10);
      expect(stderr).toContain('E_DIVERGED');
    }));
});
