/** Every command, with what the list of commands says about it. The modules are loaded when they are run. */
import type { Command } from './support/command.js';

export interface Entry {
  readonly group: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

export const registry: Readonly<Record<string, Entry>> = {
  init: {
    group: 'Store:',
    summary: 'make a config file and the schema',
    load: () => import('./init.js'),
  },
  migrate: {
    group: 'Store:',
    summary: 'upgrade the schema, or check it',
    load: () => import('./migrate.js'),
  },
  doctor: {
    group: 'Store:',
    summary: 'what is wrong with the store, the account and the settings',
    load: () => import('./doctor.js'),
  },
  verify: {
    group: 'Store:',
    summary: 'whether the log is whole and no projection skipped an event',
    load: () => import('./verify.js'),
  },
  append: {
    group: 'Events:',
    summary: 'append one event, or a batch, to a stream',
    load: () => import('./append.js'),
  },
  read: {
    group: 'Events:',
    summary: 'read a stream, or the whole log',
    load: () => import('./read.js'),
  },
  tail: {
    group: 'Events:',
    summary: 'the last events, then new ones as they commit',
    load: () => import('./tail.js'),
  },
  streams: {
    group: 'Events:',
    summary: 'the streams, with counts and times',
    load: () => import('./streams.js'),
  },
  import: {
    group: 'Events:',
    summary: 'append the events of an NDJSON file, whatever their streams',
    load: () => import('./import.js'),
  },
  export: {
    group: 'Events:',
    summary: 'write events as NDJSON, to a file or to stdout',
    load: () => import('./export.js'),
  },
  projections: {
    group: 'Projections:',
    summary: 'which projections there are, in code and in the database',
    load: () => import('./projections.js'),
  },
  run: {
    group: 'Projections:',
    summary: 'keep read models up to date with the log',
    load: () => import('./run.js'),
  },
  checkpoints: {
    group: 'Projections:',
    summary: 'where subscriptions stand; move, reset or delete a checkpoint',
    load: () => import('./checkpoints.js'),
  },
  parked: {
    group: 'Projections:',
    summary: 'events that a projection could not handle: look at them, try them again, give them up',
    load: () => import('./parked.js'),
  },
  saga: {
    group: 'Projections:',
    summary: 'instances of sagas: where they stand, and another try for one that is parked',
    load: () => import('./saga.js'),
  },
  lag: {
    group: 'Projections:',
    summary: 'how far behind the log projections are',
    load: () => import('./lag.js'),
  },
  wait: {
    group: 'Projections:',
    summary: 'wait until projections have caught up',
    load: () => import('./wait.js'),
  },
  rebuild: {
    group: 'Rebuilds:',
    summary: 'make read models anew beside the live ones, and swap them in',
    load: () => import('./rebuild.js'),
  },
  diff: {
    group: 'Rebuilds:',
    summary: 'what a swap would change: live rows against those of the rebuild that is ready',
    load: () => import('./diff.js'),
  },
  swap: {
    group: 'Rebuilds:',
    summary: 'put a rebuild that is ready in the place of the live read model',
    load: () => import('./swap.js'),
  },
  rollback: {
    group: 'Rebuilds:',
    summary: 'take the last swap of a projection back',
    load: () => import('./rollback.js'),
  },
  abort: {
    group: 'Rebuilds:',
    summary: 'drop an unfinished rebuild',
    load: () => import('./abort.js'),
  },
  gc: {
    group: 'Rebuilds:',
    summary: 'drop replaced tables whose time for a rollback is over',
    load: () => import('./gc.js'),
  },
  scaffold: {
    group: 'Code:',
    summary: 'write the code of a projection or a saga, with a test that passes',
    load: () => import('./scaffold.js'),
  },
  demo: {
    group: 'Code:',
    summary: 'the main job in a new folder, in a few seconds',
    load: () => import('./demo.js'),
  },
  completion: {
    group: 'More:',
    summary: 'a completion script for bash, zsh, fish',
    load: () => import('./completion.js'),
  },
};
