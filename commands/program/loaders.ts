/** Where each command is: a module is loaded when its command is run. */
import type { CommandName } from '../catalog.js';
import type { Command } from '../options/command.js';

export const loaders: Readonly<Record<CommandName, () => Promise<{ readonly command: Command }>>> = {
  init: () => import('../init.js'),
  migrate: () => import('../migrate.js'),
  doctor: () => import('../doctor.js'),
  verify: () => import('../verify.js'),
  append: () => import('../append.js'),
  read: () => import('../read.js'),
  tail: () => import('../tail.js'),
  streams: () => import('../streams.js'),
  import: () => import('../import.js'),
  export: () => import('../export.js'),
  projections: () => import('../projections.js'),
  run: () => import('../run.js'),
  checkpoints: () => import('../checkpoints.js'),
  parked: () => import('../parked.js'),
  saga: () => import('../saga.js'),
  lag: () => import('../lag.js'),
  wait: () => import('../wait.js'),
  rebuild: () => import('../rebuild.js'),
  repair: () => import('../repair.js'),
  diff: () => import('../diff.js'),
  swap: () => import('../swap.js'),
  rollback: () => import('../rollback.js'),
  abort: () => import('../abort.js'),
  gc: () => import('../gc.js'),
  scaffold: () => import('../scaffold.js'),
  demo: () => import('../demo.js'),
  completion: () => import('../completion.js'),
  version: () => import('../version.js'),
};
