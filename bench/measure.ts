/** Taking turns: A B C A B C …, so that what else the machine does touches all alike. */
import type { Comparison, Measured, Target, Unit } from './report.js';

/** Something that is timed. */
export interface Contender {
  readonly name: string;
  /** Names what is missing on this machine, if something is; such a contender is not run, and its line says why. */
  readonly missing?: string | undefined;
  /** How many times evstore's figure is to be of this one's. */
  readonly target?: Target;
  /** What is not timed: a fresh table, a caught-up store. */
  prepare?(): Promise<void>;
  /**
   * The work.
   * @returns its figure
   * @throws Wrong when what it made is not right: it has no figure then
   */
  run(): Promise<number>;
}

/** A result that is not the right one. */
export class Wrong extends Error {}

/** @throws Wrong naming what it should have been */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (String(actual) !== String(expected)) throw new Wrong(`${what} is ${actual}, not ${expected}`);
}

export interface Turns {
  readonly title: string;
  readonly unit: Unit;
  readonly runs: number;
  /** Is told of every figure. */
  readonly say: (line: string) => void;
}

/** The first is evstore. A contender that fails leaves the game, the others go on. */
export async function takeTurns(contenders: readonly Contender[], turns: Turns): Promise<Comparison> {
  const { title, unit, runs, say } = turns;
  const games = contenders.map((contender) => ({ contender, figures: [] as number[], failure: contender.missing }));
  for (let run = 1; run <= runs; run += 1) {
    for (const game of games) {
      if (game.failure !== undefined) continue;
      const { contender } = game;
      try {
        await contender.prepare?.();
        const figure = await contender.run();
        game.figures.push(figure);
        say(`${title}, run ${run} of ${runs}: ${contender.name} ${Number(figure.toPrecision(4))} ${unit}`);
      } catch (error) {
        game.failure = `failed: ${error instanceof Error ? error.message : error}`;
        game.figures.length = 0;
        say(`${title}: ${contender.name} ${game.failure}`);
      }
    }
  }
  return { title, unit, measured: games.map(toMeasured) };
}

function toMeasured(game: {
  readonly contender: Contender;
  readonly figures: readonly number[];
  readonly failure: string | undefined;
}): Measured {
  const { contender, figures, failure } = game;
  const { name, target } = contender;
  return { name, figures, ...(failure !== undefined && { failure }), ...(target && { target }) };
}

export const atLeast = (value: number): Target => ({ is: 'at least', value });
export const atMost = (value: number): Target => ({ is: 'at most', value });

export async function timed(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}
