/** Commands that evstore tells a user to run next: they are for the same store, and run as this one was run. */
import { commandInText } from '../../src/domain/command-text.js';
import { shellWord } from '../../src/domain/shell-word.js';
import { redact, secretsOf } from '../../src/output/redact.js';

/** `&&` and `|`, unless they are in quotes: those that follow are paired. */
const betweenCommands = /( (?:&&|\|) )(?=(?:[^']*'[^']*')*[^']*$)/;

export interface Typed {
  /** The command line of this run. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns `evstore …` with the store, schema and config of this run, and with `npx` where that ran it; `psql …` with the
 * database. Several commands may be joined by `&&` or `|`.
 */
export function completeCommand(command: string, typed: Typed): string {
  return command
    .split(betweenCommands)
    .map((each) => (each.startsWith('psql ') ? completePsql(each, typed) : completeOne(each, typed)))
    .join('');
}

function completeOne(command: string, { argv, env }: Typed): string {
  if (!command.startsWith('evstore ')) return command;
  const needsNoStore = /--help\b|^evstore (explain|config)\b|--store\b/.test(command);
  const place = needsNoStore
    ? []
    : ['--store', '--schema', '--config'].flatMap((name) => {
        const [value] = valuesOf(argv, name);
        // Quoting may change how a password is spelled, so it goes first.
        return value === undefined || command.includes(` ${name} `) ? [] : [name, redact(value, secretsOf(value))];
      });
  const whole = [command, ...place.map(shellWord)].join(' ');
  return env.npm_command === 'exec' ? `npx ${whole}` : whole;
}

function completePsql(command: string, { argv, env }: Typed): string {
  const [value] = valuesOf(argv, '--store');
  const isPostgres = (url: string | undefined): url is string => url !== undefined && /^postgres(ql)?:\/\//i.test(url);
  if (isPostgres(value)) {
    // The account of a URL goes before the one that the command names.
    const place = command.startsWith('psql -U ') ? value.replace(/^(\w+:\/\/)[^/?]*@/, '$1') : value;
    return command.replace('psql', () => `psql ${shellWord(toPsqlUrl(place))}`);
  }
  if (value !== undefined) return command;
  const name = ['EVSTORE_URL', 'DATABASE_URL'].find((each) => isPostgres(env[each]));
  return name === undefined ? command : command.replace('psql', () => `psql "$${name}"`);
}

/** psql refuses parameters that only evstore knows. */
function toPsqlUrl(url: string): string {
  const [place = '', query = ''] = redact(url, secretsOf(url)).split('?');
  const known = query.split('&').filter((each) => each !== '' && !/^(schema|currentSchema)=/i.test(each));
  return known.length === 0 ? place : `${place}?${known.join('&')}`;
}

/** Completes the commands in a sentence. */
export function completeCommands(text: string, typed: Typed): string {
  return text.replace(commandInText, (command) => completeCommand(command, typed));
}

/** Returns the values of an option, read without the grammar of the command line: that may be what is wrong. */
export function valuesOf(argv: readonly string[], ...names: readonly string[]): readonly (string | undefined)[] {
  const words = beforeOperands(argv);
  return words.flatMap((word, index) => {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    return names.includes(name) ? [value ?? words[index + 1]] : [];
  });
}

/** Returns what is before `--`. */
export function beforeOperands(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end === -1 ? argv : argv.slice(0, end);
}
