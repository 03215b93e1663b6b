/** What each error means, why it happens and how to get out of it: `evstore explain`, and docs/reference/errors.md. */
import type { ErrorCode } from '../domain/errors.js';

export interface Explanation {
  /** One sentence. */
  readonly means: string;
  /** Each is a sentence or two. */
  readonly causes: readonly string[];
  /** Each is a sentence; a command follows a colon and ends it. */
  readonly ways: readonly string[];
}

export const explanations: Readonly<Record<ErrorCode, Explanation>> = {
  E_CHECK_FAILED: {
    means: 'A check found what it looks for. Nothing is wrong with evstore or with its connection.',
    causes: [
      'A projection is further behind than --max-lag or --max-age allow, rows differ by more than --max-diff, a migration is pending, or verify or doctor found an error.',
    ],
    ways: [
      'Read the findings above the error. Each names the command that mends it.',
      'Diagnose the store: evstore doctor',
    ],
  },
  E_USAGE: {
    means: 'The command line is wrong. Nothing was read or written.',
    causes: ['An option is unknown, has a wrong value, was given twice, or contradicts another one.'],
    ways: ['See what a command accepts, with examples: evstore COMMAND --help'],
  },
  E_CONFIG: {
    means: 'The configuration, or a file with projections or sagas, cannot be used.',
    causes: [
      'The config file, .env or the URL of the store is wrong or cannot be read.',
      'A projection or saga cannot be loaded, has a wrong shape, or has the name of another one.',
    ],
    ways: ['See which config and which store are used: evstore doctor', 'Write a config file: evstore init'],
  },
  E_INVALID_INPUT: {
    means: 'An event, a name or a value cannot be stored. Nothing was stored by this transaction.',
    causes: [
      'The data is not valid JSON, contains U+0000, half a surrogate pair, the same key twice or a number that Postgres cannot keep. Both engines refuse the same values, so that a store can be copied.',
      'A name is longer than 512 bytes, or an event is larger than the limit.',
    ],
    ways: [
      'Correct the value that the error names, and repeat the command.',
      'Allow events over 10 KB, up to 1 MB: evstore append STREAM --allow-large',
      'Check a file before it is imported: evstore import FILE --dry-run',
    ],
  },
  E_NO_SCHEMA: {
    means: 'The database or file has no evstore schema, or a part of it is missing.',
    causes: ['The store was never created, or the URL or the schema name is that of another place.'],
    ways: ['See which store is used, and who named it: evstore doctor', 'Create the schema: evstore init'],
  },
  E_SCHEMA_PENDING: {
    means: 'The schema is older than this evstore.',
    causes: ['evstore was upgraded, and its migrations have not been applied to this store.'],
    ways: ['See what would be applied: evstore migrate up --dry-run', 'Apply it: evstore migrate up'],
  },
  E_SCHEMA_NEWER: {
    means: 'A newer evstore upgraded the schema.',
    causes: ['This machine has an older version of evstore than the one that ran migrate.'],
    ways: ['Install the newer version: npm install evstore@latest'],
  },
  E_FOREIGN_TABLE: {
    means: 'A table has a name that evstore needs, and evstore did not create it. It is left untouched.',
    causes: ['Another program made a table events, or a table with the name of a projection.'],
    ways: [
      'Use another schema on Postgres: evstore init --schema evstore',
      'Rename the table, or give the projection another one.',
    ],
  },
  E_STALE_PROJECTION: {
    means: 'The rows of a projection were made by code of another version or definition than the code at hand.',
    causes: [
      'The version in the code was raised, and the rows were not rebuilt yet.',
      'This process runs older code than the one that made the rows.',
    ],
    ways: [
      'Compare the code with the database: evstore projections',
      'Make the rows with this code: evstore rebuild NAME',
      'Return to the old tables, if they are kept: evstore rollback NAME',
    ],
  },
  E_CONNECT: {
    means: 'The database did not answer, or the connection was lost.',
    causes: [
      'The host, port, database or password is wrong, the server is starting or has no connection left, or TLS was refused.',
      'The file of a SQLite store cannot be opened, or its driver is not installed.',
    ],
    ways: [
      'See which URL is used, and who named it: evstore doctor',
      'Wait for a server that starts, or for a free connection, and repeat the command.',
    ],
  },
  E_PERMISSION: {
    means: 'The database account, or the account of this process, may not do this.',
    causes: ['The role lacks a privilege on the schema, a table or a sequence, or the file belongs to someone else.'],
    ways: [
      'See what the account lacks: evstore doctor',
      'Print the statements that create roles with the right privileges: evstore init --roles NAME',
    ],
  },
  E_READ_ONLY: {
    means: 'The store can only be read here.',
    causes: [
      'The server is a standby, the session is read-only, or the file is on a read-only file system.',
      'A program opened the store with readOnly.',
    ],
    ways: ['Use the URL of the primary server, or make the file writable.'],
  },
  E_VERSION_CONFLICT: {
    means: 'The stream is not at the expected version. Nothing was appended.',
    causes: [
      'Another process appended to the stream between the read and the append.',
      'The append was sent before, and is stored already under other ids.',
    ],
    ways: [
      'Read what was appended, decide again, and append at the new version: evstore read STREAM',
      'Give events ids of their own with --id, so that a repeated append is recognised.',
    ],
  },
  E_ID_CONFLICT: {
    means: 'The id belongs to an event with other content. Nothing was appended.',
    causes: ['An id was used for two different events, or the content changed between two attempts.'],
    ways: [
      'Look at the event that has the id: evstore read STREAM -o long',
      'Use a new id for a new event. Skip such lines of an import: evstore import FILE --on-conflict skip',
    ],
  },
  E_PARTIAL_DUPLICATE: {
    means: 'Some events of the append are stored already and others are not. Nothing was appended.',
    causes: ['A retry has other events than the append that it repeats.'],
    ways: [
      'Repeat exactly the same events, or append only those that are missing. See what is stored: evstore read STREAM',
    ],
  },
  E_LOCK_HELD: {
    means: 'Another process does this work now, or holds a lock that it needs.',
    causes: [
      'Another runner, rebuild or migration has the lease.',
      'A process ended without releasing its lease. The lease expires after some seconds.',
    ],
    ways: ['See who has it: evstore checkpoints', 'Wait for it, or stop the other process, and repeat the command.'],
  },
  E_SUPERSEDED: {
    means: 'Another process took over this work. What this process had not committed was not written.',
    causes: ['This process was suspended, or could not reach the database for longer than its lease.'],
    ways: ['Nothing is lost. See who runs it now: evstore lag', 'Start it again to stand by: evstore run'],
  },
  E_NOT_FOUND: {
    means: 'What was named does not exist in this store or in this code, or nothing matched.',
    causes: ['The name has a typing error, or the store is another one than you think.'],
    ways: [
      'See which store is used: evstore doctor',
      'List what there is: evstore streams',
      'List the projections: evstore projections',
    ],
  },
  E_TIMEOUT: {
    means: 'It took longer than it may.',
    causes: [
      'A lock was not released in time, a statement was slow, or a projection did not catch up within --timeout.',
    ],
    ways: [
      'See what is behind, and who holds readers back: evstore lag',
      'Repeat the command with a longer --timeout, --max-wait or --lock-timeout.',
    ],
  },
  E_OUTCOME_UNKNOWN: {
    means: 'The connection was lost while a transaction committed: it is stored in full or not at all.',
    causes: ['The server or the network failed between the commit and its answer.'],
    ways: [
      'Repeat the append with the same ids. It is recognised if it was stored: run the command that the error prints.',
    ],
  },
  E_CONFIRM: {
    means: 'The command destroys something and was not confirmed. Nothing was changed.',
    causes: ['There was no terminal to ask on, or the answer was not yes.'],
    ways: ['See what it would do with --dry-run, then confirm with --yes.'],
  },
  E_HANDLER: {
    means:
      'Code of yours threw or did not finish: a handler, a projection file, an external projection, a step of a saga.',
    causes: [
      'The code has a fault, or does not expect this event. The error names the function, the line and the event.',
      'A call of an external projection took longer than its timeout, or returned a promise that nothing can settle.',
    ],
    ways: [
      'Look at the event: evstore read STREAM --from-version N -n 1 -o long',
      'Correct the code, and start it again: evstore run NAME',
      'Continue without the event, and retry it later: evstore run NAME --on-error park',
    ],
  },
  E_UNSAFE_STORE: {
    means: 'Reading or writing here could lose, reorder or hide events, so evstore refuses.',
    causes: [
      'A guard of the schema was dropped or disabled, the sequence of positions is behind the log, or row-level security hides events.',
    ],
    ways: [
      'See what is wrong, and what mends it: evstore doctor',
      'After a restore, continue after the last position: evstore doctor --fix sequence',
    ],
  },
  E_CORRUPT: {
    means: 'The store contains something that evstore never writes.',
    causes: [
      'Another program changed a table, a disk or a copy is damaged, or an event was removed in spite of the guards.',
    ],
    ways: [
      'Find out how much is affected: evstore verify',
      'Restore a backup if events are damaged. Rows of projections can be made again: evstore rebuild NAME',
    ],
  },
  E_DIVERGED: {
    means: 'The log is another one than the one in which a position was taken.',
    causes: [
      'The store was restored from a backup, the file was replaced, or a server without the last events took over.',
    ],
    ways: [
      'See which checkpoints are affected: evstore verify',
      'Make the rows from the log that is there now: evstore rebuild NAME',
    ],
  },
  E_BUG: {
    means: 'evstore did something that it should not do.',
    causes: ['A fault in evstore, or in a library that it uses.'],
    ways: ['Repeat the command with --debug, and report what it prints.'],
  },
  E_UNFINISHED: {
    means: 'The command waits for something that can never happen, so it was ended.',
    causes: ['A file has a top-level await that never settles, or took longer than a minute to load.'],
    ways: ['Correct the file that the error names.'],
  },
  E_STORE_FULL: {
    means: 'The database has no room left. The transaction was rolled back.',
    causes: ['The disk or the quota of the server or of the file system of the SQLite file is full.'],
    ways: [
      'Make room. Old tables of rebuilds can be dropped: evstore gc',
      'Then repeat the command; what was stored before is kept.',
    ],
  },
  E_OUTPUT: {
    means: 'The output could not be written in full.',
    causes: ['The disk is full, the device failed, or the file may not be written.'],
    ways: ['Make room, or write to another place, and repeat the command.'],
  },
};
