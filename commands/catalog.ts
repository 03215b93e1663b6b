/** Every command, with its group and summary: help, completion, suggestions and the reference page are made from it. */

export interface Entry {
  readonly group: string;
  readonly summary: string;
}

export const catalog = {
  init: {
    group: 'Store:',
    summary: 'create a config file and the schema',
  },
  migrate: {
    group: 'Store:',
    summary: 'upgrade the schema, or check its version',
  },
  doctor: {
    group: 'Store:',
    summary: 'diagnose the store, the database account and the settings',
  },
  config: {
    group: 'Store:',
    summary: 'show the settings, and where each comes from',
  },
  verify: {
    group: 'Store:',
    summary: 'check that the log is intact and that no projection skipped an event',
  },
  bench: {
    group: 'Store:',
    summary: 'measure append, read and rebuild rates in a scratch store',
  },
  append: {
    group: 'Events:',
    summary: 'append one event or a batch to a stream',
  },
  read: {
    group: 'Events:',
    summary: 'read a stream or the whole log',
  },
  tail: {
    group: 'Events:',
    summary: 'print the last events, then new ones as they commit',
  },
  streams: {
    group: 'Events:',
    summary: 'list streams with counts and times',
  },
  show: {
    group: 'Events:',
    summary: 'show single events: what caused them, what they caused, who handled them',
  },
  trace: {
    group: 'Events:',
    summary: 'show what caused what, as a tree across streams',
  },
  types: {
    group: 'Events:',
    summary: 'list the types of events, generate TypeScript from them, check it',
  },
  stats: {
    group: 'Events:',
    summary: 'show how much there is, where, and how fast it grows',
  },
  snapshots: {
    group: 'Events:',
    summary: 'list, show, make, delete and verify the snapshots of aggregates',
  },
  import: {
    group: 'Events:',
    summary: 'append the events of an NDJSON file to their streams',
  },
  export: {
    group: 'Events:',
    summary: 'write events as NDJSON to a file or to stdout',
  },
  projections: {
    group: 'Projections:',
    summary: 'list, forget or rename projections',
  },
  run: {
    group: 'Projections:',
    summary: 'keep read models up to date with the log',
  },
  checkpoints: {
    group: 'Projections:',
    summary: 'list, move, reset or delete checkpoints',
  },
  state: {
    group: 'Projections:',
    summary: 'show the row of a stream as of a version, time or position',
  },
  rows: {
    group: 'Projections:',
    summary: 'list, filter, sort and count the rows of a read model',
  },
  parked: {
    group: 'Projections:',
    summary: 'list, show, retry or discard events that a projection or saga could not handle',
  },
  saga: {
    group: 'Projections:',
    summary: 'list and show saga instances, cancel or retry one',
  },
  lag: {
    group: 'Projections:',
    summary: 'show how far projections are behind the log',
  },
  wait: {
    group: 'Projections:',
    summary: 'wait until projections have reached a position',
  },
  rebuild: {
    group: 'Rebuilds:',
    summary: 'rebuild read models alongside the live ones, then swap them in',
  },
  repair: {
    group: 'Rebuilds:',
    summary: 'recompute single rows of a live read model',
  },
  diff: {
    group: 'Rebuilds:',
    summary: 'compare the live rows with those of the rebuild that is ready',
  },
  swap: {
    group: 'Rebuilds:',
    summary: 'swap in a rebuild that is ready',
  },
  rollback: {
    group: 'Rebuilds:',
    summary: 'undo the last swap of a projection',
  },
  abort: {
    group: 'Rebuilds:',
    summary: 'drop an unfinished rebuild',
  },
  gc: {
    group: 'Rebuilds:',
    summary: 'drop old tables that are no longer kept for a rollback',
  },
  scaffold: {
    group: 'Code:',
    summary: 'generate a projection or a saga with a passing test',
  },
  demo: {
    group: 'Code:',
    summary: 'show the main job in a new folder, in a few seconds',
  },
  explain: {
    group: 'More:',
    summary: 'explain an error: what it means, why it happens, what to do',
  },
  completion: {
    group: 'More:',
    summary: 'print a completion script for bash, zsh, fish',
  },
  version: {
    group: 'More:',
    summary: 'show the version',
  },
} satisfies Readonly<Record<string, Entry>>;

export type CommandName = keyof typeof catalog;
