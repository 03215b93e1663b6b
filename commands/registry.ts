/** Every command, with what the list of commands says about it. The modules are loaded when they are run. */
import type { Command } from './command.js';

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
};
