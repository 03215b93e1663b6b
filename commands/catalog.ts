/** Every command, with its group and summary: help, completion, suggestions and the reference page are made from it. */

export interface Entry {
  readonly group: string;
  readonly summary: string;
}

export const catalog = {
  init: {
    group: 'Store:',
    summary: 'make a config file and the schema',
  },
  migrate: {
    group: 'Store:',
    summary: 'upgrade the schema, or check it',
  },
  doctor: {
    group: 'Store:',
    summary: 'what is wrong with the store, the account and the settings',
  },
  verify: {
    group: 'Store:',
    summary: 'whether the log is whole and no projection skipped an event',
  },
  append: {
    group: 'Events:',
    summary: 'append one event, or a batch, to a stream',
  },
  read: {
    group: 'Events:',
    summary: 'read a stream, or the whole log',
  },
  tail: {
    group: 'Events:',
    summary: 'the last events, then new ones as they commit',
  },
  streams: {
    group: 'Events:',
    summary: 'the streams, with counts and times',
  },
  import: {
    group: 'Events:',
    summary: 'append the events of an NDJSON file, whatever their streams',
  },
  export: {
    group: 'Events:',
    summary: 'write events as NDJSON, to a file or to stdout',
  },
  projections: {
    group: 'Projections:',
    summary: 'which projections there are, in code and in the database',
  },
  run: {
    group: 'Projections:',
    summary: 'keep read models up to date with the log',
  },
  checkpoints: {
    group: 'Projections:',
    summary: 'where subscriptions stand; move, reset or delete a checkpoint',
  },
  parked: {
    group: 'Projections:',
    summary: 'events that a projection could not handle: look at them, try them again, give them up',
  },
  saga: {
    group: 'Projections:',
    summary: 'list and show saga instances, retry a parked one',
  },
  lag: {
    group: 'Projections:',
    summary: 'how far behind the log projections are',
  },
  wait: {
    group: 'Projections:',
    summary: 'wait until projections have caught up',
  },
  rebuild: {
    group: 'Rebuilds:',
    summary: 'make read models anew beside the live ones, and swap them in',
  },
  diff: {
    group: 'Rebuilds:',
    summary: 'what a swap would change: live rows against those of the rebuild that is ready',
  },
  swap: {
    group: 'Rebuilds:',
    summary: 'put a rebuild that is ready in the place of the live read model',
  },
  rollback: {
    group: 'Rebuilds:',
    summary: 'take the last swap of a projection back',
  },
  abort: {
    group: 'Rebuilds:',
    summary: 'drop an unfinished rebuild',
  },
  gc: {
    group: 'Rebuilds:',
    summary: 'drop replaced tables whose time for a rollback is over',
  },
  scaffold: {
    group: 'Code:',
    summary: 'write the code of a projection or a saga, with a test that passes',
  },
  demo: {
    group: 'Code:',
    summary: 'the main job in a new folder, in a few seconds',
  },
  completion: {
    group: 'More:',
    summary: 'a completion script for bash, zsh, fish',
  },
} satisfies Readonly<Record<string, Entry>>;

export type CommandName = keyof typeof catalog;
