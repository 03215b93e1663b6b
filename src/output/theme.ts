/** Colours by meaning. The only user of chalk, which is loaded only when colour is needed. */

export interface Theme {
  readonly colour: boolean;
  /** The subject of a line: names, headings. */
  strong(text: string): string;
  /** Secondary text: times, ids, units. */
  faint(text: string): string;
  good(text: string): string;
  caution(text: string): string;
  bad(text: string): string;
  /** Kinds: event types, states. */
  kind(text: string): string;
  /** One of six colours, always the same for the same key. */
  hashed(text: string, key: string): string;
}

type ColourChoice = 'auto' | 'always' | 'never';

export interface ColourFacts {
  readonly choice: ColourChoice;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the stream that gets the text. */
  readonly isTTY: boolean;
}

/** `--color` > `NO_COLOR` > `FORCE_COLOR` > whether the stream is a terminal that is not dumb. */
export function decideColour({ choice, env, isTTY }: ColourFacts): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (env.NO_COLOR) return false;
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTTY && env.TERM !== 'dumb';
}

function same(text: string): string {
  return text;
}

export const plainTheme: Theme = {
  colour: false,
  strong: same,
  faint: same,
  good: same,
  caution: same,
  bad: same,
  kind: same,
  hashed: same,
};

const hues = ['cyan', 'magenta', 'blue', 'greenBright', 'yellowBright', 'magentaBright'] as const;

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}

export async function createTheme(colour: boolean): Promise<Theme> {
  if (!colour) return plainTheme;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    colour: true,
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    caution: (text) => chalk.yellow(text),
    bad: (text) => chalk.red(text),
    kind: (text) => chalk.cyan(text),
    hashed: (text, key) => chalk[hues[hash(key) % hues.length] ?? 'cyan'](text),
  };
}
