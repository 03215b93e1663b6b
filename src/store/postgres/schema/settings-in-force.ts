/** Settings that a server, a database or a role makes for the sessions of this account, and how to change them there. */
import { shellWord } from '../../../domain/shell-word.js';
import { toText } from '../../shared/rows.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';

export interface SettingInForce {
  readonly value: string;
  /** Where it is set, as a phrase; undefined where nothing sets it. */
  readonly origin: string | undefined;
  /** The command that changes it there; null where it is set outside the database. */
  readonly change: string | null;
}

/** Columns as in settings-in-force.sql. */
export function toSettings(rows: readonly RawRow[]): ReadonlyMap<string, SettingInForce> {
  return new Map(rows.map((row) => [toText(row[0]), toSetting(row)]));
}

function toSetting(row: RawRow): SettingInForce {
  const [name, value, source, role, database] = row.map((field) => toText(field ?? ''));
  return { value: value ?? '', ...place(name ?? '', source ?? '', role ?? '', database ?? '') };
}

function place(name: string, source: string, role: string, database: string): Omit<SettingInForce, 'value'> {
  const [who, where] = [quoteIdentifier(role), quoteIdentifier(database)];
  const reset = (target: string) => {
    const statement = `alter ${target} reset ${name}`;
    // The sessions of this account begin read-only.
    const isReadOnly = name === 'default_transaction_read_only';
    return `psql -c ${shellWord(isReadOnly ? `begin read write; ${statement}; commit` : statement)}`;
  };
  switch (source) {
    case 'role in database':
      return { origin: `set for ${role} in database ${database}`, change: reset(`role ${who} in database ${where}`) };
    case 'role':
      return { origin: `set for ${role}`, change: reset(`role ${who}`) };
    case 'database':
      return { origin: `set for database ${database}`, change: reset(`database ${where}`) };
    case 'all roles':
      return { origin: 'set for all roles', change: reset('role all') };
    case 'client':
    case 'environment variable':
      return { origin: 'set by the connection: the options of the URL, or PGOPTIONS', change: null };
    case 'command line':
      return { origin: 'set on the command line of the server', change: null };
    case 'default':
      return { origin: undefined, change: null };
    default: {
      const change = `psql -c ${shellWord(`alter system reset ${name}`)} -c 'select pg_reload_conf()'`;
      return { origin: 'set in the configuration of the server', change };
    }
  }
}
