/** The flags every command takes, defined once. They stand on each leaf, because commander checks conflicts only there. */
import { Option } from 'commander';
import { EvstoreError } from '../../src/domain/errors.js';
import type { Command, Flags } from './command.js';
import { option } from './option.js';
import { oneOf } from './parse-option.js';

/** Heading of the options that every command takes. */
export const sharedGroup = 'Shared options:';

export interface SharedFlags {
  readonly store?: string;
  readonly schema?: string;
  readonly config?: string;
  readonly output?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: 'auto' | 'always' | 'never';
  readonly yes?: boolean;
  readonly confirm?: string;
  readonly debug?: boolean;
  readonly progress?: 'auto' | 'json';
  readonly times?: 'relative' | 'local' | 'iso';
}

const outputs = ['auto', 'table', 'json', 'ndjson', 'tsv'];

/** The shared options of a command; one that the command defines itself is its own, and so is a short flag. */
export function sharedOptions(command: Command): Option[] {
  const own = new Set(command.options.flatMap(({ long, short }) => [long, short]));
  return makeSharedOptions()
    .filter(({ long }) => !own.has(long))
    .map((shared) => (shared.short && own.has(shared.short) ? withoutShort(shared) : shared));
}

/** For a command that takes more kinds of output than the common ones. */
export function outputOption(...more: readonly string[]): Option {
  const choices = [...outputs, ...more];
  return option('-o, --output <format>', `output format: ${choices.join(', ')} (default: auto)`, oneOf(...choices));
}

/** For commands that load projections. */
export function projectionsOption(): Option {
  return option('--projections <glob...>', 'projection files (default: those of the config)');
}

/** For commands that show progress. */
export function progressOption(): Option {
  return option('--progress <how>', 'format of progress on stderr: auto, json (default: auto)', oneOf('auto', 'json'));
}

/** For commands that show times to people. @param usual how without it */
export function timesOption(usual: 'relative' | 'local' = 'relative'): Option {
  const styles = ['relative', 'local', 'iso'] as const;
  return option('--times <style>', `times on a terminal: ${styles.join(', ')} (default: ${usual})`, oneOf(...styles));
}

/** For commands that estimate what would take long to count. */
export function exactOption(): Option {
  return option('--exact', 'count everything, which reads the whole log (default: estimate what is large, marked ~)');
}

export function dryRunOption(): Option {
  return option('--dry-run', 'show what would happen, and write nothing');
}

/** For commands that take names, or `--all`. @throws E_USAGE for none of them and for both */
export function assertNamedOrAll(names: readonly string[], { all }: Flags): void {
  const isNamed = names.length > 0;
  if (isNamed !== (all === true)) return;
  throw new EvstoreError('E_USAGE', isNamed ? 'names and --all cannot be combined' : 'no projection was named', {
    why: 'Name a projection, or use --all.',
    next: 'evstore projections',
  });
}

function makeSharedOptions(): Option[] {
  return [
    option(
      '--store <url>',
      'sqlite:PATH, postgres://… or a name in the config (default: EVSTORE_URL, config, DATABASE_URL)',
    ),
    option('--schema <name>', 'Postgres schema (default: EVSTORE_SCHEMA, config, public)'),
    option('--config <file>', 'config file (default: the nearest evstore.config.*)'),
    outputOption(),
    option('--json', 'the same as --output json'),
    option('-q, --quiet', 'print only ids or positions, and no hints'),
    option(
      '--color <when>',
      'when to use colour: auto, always, never (default: auto)',
      oneOf('auto', 'always', 'never'),
    ),
    option('-y, --yes', 'answer yes to every question'),
    option('--confirm <name>', 'allow writing to the protected store of this name'),
    option('--debug', 'show stack traces'),
  ].map((each) => each.helpGroup(sharedGroup));
}

function withoutShort(shared: Option): Option {
  const made = new Option(shared.flags.replace(/^-\w, /, ''), shared.description);
  // The parser names the option already.
  if (shared.parseArg !== undefined) made.argParser(shared.parseArg);
  return made.helpGroup(sharedGroup);
}

export interface SplitArguments {
  /** Shared flags with their values, in order. */
  readonly flags: readonly string[];
  /** What follows them. */
  readonly rest: readonly string[];
}

/** Parts the shared flags at the beginning from what follows. */
export function splitSharedFlags(argv: readonly string[]): SplitArguments {
  const shared = makeSharedOptions();
  let at = 0;
  for (let word = argv[at]; word?.startsWith('-') && word !== '-'; word = argv[at]) {
    const name = word.split('=')[0];
    const known = shared.find(({ long, short }) => name === long || name === short);
    if (known === undefined) break;
    at += known.required && !word.includes('=') ? 2 : 1;
  }
  return { flags: argv.slice(0, at), rest: argv.slice(at) };
}

/**
 * The shared flags before a command, without those that follow it, too: they are often in a shell alias, and the later
 * one wins.
 */
export function withoutRepeated(flags: readonly string[], args: readonly string[], command: Command): string[] {
  const options = [...optionsOf(command), ...makeSharedOptions()];
  const later = new Set(readFlags(args, options).map(({ option }) => option.long));
  return readFlags(flags, options).flatMap(({ option, words }) => (later.has(option.long) ? [] : words));
}

function optionsOf({ options, subcommands = [] }: Command): Option[] {
  return [...options, ...subcommands.flatMap(optionsOf)];
}

/** The flags among the words, each with its value. */
function readFlags(words: readonly string[], options: readonly Option[]) {
  const found: { readonly option: Option; readonly words: readonly string[] }[] = [];
  for (let at = 0; at < words.length && words[at] !== '--'; at += 1) {
    const word = words[at] ?? '';
    const name = word.split('=')[0];
    const option = options.find(
      ({ long, short }) => name === long || (short && !word.startsWith('--') && word.startsWith(short)),
    );
    if (option === undefined) continue;
    const takesNext = option.required && (word === option.long || word === option.short);
    found.push({ option, words: words.slice(at, takesNext ? at + 2 : at + 1) });
    if (takesNext) at += 1;
  }
  return found;
}

/** Whether programs read the output: what `note` and the form of errors depend on. */
export function asksForJson(flags: Flags): boolean {
  return flags.json === true || flags.output === 'json' || flags.output === 'ndjson';
}
