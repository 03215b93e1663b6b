/** message-db: the functions its package ships, called through prepared statements. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { Raw } from '../../test/support/raw.js';
import type { Writers } from './writer.js';

/** As its install.sh has them, without the extension, whose one function Postgres has had itself since 13. */
const scripts = [
  'roles/message-store',
  'schema/message-store',
  'tables/messages',
  'types/message',
  ...[
    'message-store-version',
    'hash-64',
    'acquire-lock',
    'category',
    'is-category',
    'id',
    'cardinal-id',
    'stream-version',
    'write-message',
  ].map((name) => `functions/${name}`),
  ...['id', 'stream', 'category'].map((name) => `indexes/messages-${name}`),
];

export async function installMessageDb(raw: Raw): Promise<void> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@eventide/message-db/package.json')), 'database');
  await raw.query('set search_path = message_store, public');
  for (const script of scripts) await raw.query(readFileSync(join(folder, `${script}.sql`), 'utf8'));
}

export async function openMessageDbWriters(url: string, count: number): Promise<Writers> {
  const options = '-c search_path=message_store,public';
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url, options }));
  await Promise.all(clients.map((client) => client.connect()));
  return {
    writes: clients.map((client) => async (stream, _version, events) => {
      for (const { type, data, metadata } of events) {
        await client.query({
          name: 'write',
          text: 'select write_message($1, $2, $3, $4, $5)',
          values: [randomUUID(), stream, type, JSON.stringify(data), JSON.stringify(metadata)],
        });
      }
    }),
    close: async () => {
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

export const countOfMessageDb = 'select count(*) as events from message_store.messages';
