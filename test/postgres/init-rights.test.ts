/** An account that owns the schema, and may not create one in the database, makes the store in it. */
import { expect, inject, test } from 'vitest';
import { runCli } from '../support/cli.js';
import { withTestStore } from '../support/engines.js';

const role = inject('databasePrefix').replace(/^evstore_test_/, 'own');

test('init in a schema that exists needs no privilege on the database', () =>
  withTestStore(
    'postgres',
    async ({ url, raw }) => {
      await raw.query(`create role ${role} login password 'x'; create schema shop authorization ${role}`);
      try {
        const own = new URL(url);
        own.username = role;
        own.password = 'x';
        const { code, stderr } = await runCli(['init', '--schema', 'shop', '--store', own.href]);
        expect(stderr).not.toContain('E_PERMISSION');
        expect(code).toBe(0);
      } finally {
        await raw.query(`drop owned by ${role} cascade; drop role ${role}`);
      }
    },
    { migrated: false },
  ));
