/** Values as bars of one line, and whether they rose. */

const steps = { unicode: '▁▂▃▄▅▆▇█', ascii: '_.:-=+*#' };
/** A row whose highest value is small does not look as bad as one of thousands. */
const leastScale = 20;

/** Draws one cell a value, on a scale of logarithms up to the highest of them. Undefined, for what was not measured, is a blank. */
export function sparkline(values: readonly (number | undefined)[], unicode: boolean): string {
  const cells = unicode ? steps.unicode : steps.ascii;
  const scale = Math.log1p(Math.max(leastScale, ...values.map((value) => value ?? 0)));
  const cellOf = (value: number) =>
    value <= 0 ? 0 : Math.max(1, Math.round((Math.log1p(value) / scale) * (cells.length - 1)));
  return values.map((value) => (value === undefined ? ' ' : cells[cellOf(value)])).join('');
}

/** Says whether values rose or fell: an arrow of one cell; a blank while there is nothing to compare. */
export function trendOf(values: readonly (number | undefined)[], unicode: boolean): string {
  const known = values.filter((value) => value !== undefined);
  const [first, last] = [known[0], known.at(-1)];
  if (known.length < 2 || first === undefined || last === undefined) return ' ';
  const [up, level, down] = unicode ? ['↑', '→', '↓'] : ['^', '-', 'v'];
  // What comes and goes within one batch is level.
  const isSmall = Math.abs(last - first) <= Math.max(leastScale, first * 0.02);
  return (isSmall ? level : last > first ? up : down) ?? ' ';
}
