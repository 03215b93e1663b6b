/** Describes SQLite and the file. The guards report what is wrong with them. */

import { toInteger, toText } from '../../shared/rows.js';
import type { Diagnosis } from '../../store.js';
import type { Database } from '../connection/database.js';
import { findHealthFaults } from './health.js';

const synchronousLevels = ['off', 'normal', 'full', 'extra'];

export async function diagnose(database: Database): Promise<Diagnosis> {
  const [row = []] = await database.read((session) => session.ask('diagnosis'));
  const bytes = toInteger(row[3]);
  return {
    facts: [
      { name: 'server', value: `SQLite ${toText(row[0])}` },
      { name: 'journal mode', value: toText(row[1]) },
      { name: 'synchronous', value: synchronousLevels[toInteger(row[2])] ?? toInteger(row[2]).toString() },
      { name: 'file', value: `${bytes} bytes, ${toInteger(row[4])} of them free, pages of ${toInteger(row[5])}` },
    ],
    findings: findHealthFaults(database.target),
  };
}
