/** One saga instance for people, step by step. */
import { formatDuration } from '../domain/duration.js';
import type { InstanceDetail, StepDetail } from '../saga/inspect.js';
import { sanitise } from '../terminal/sanitise.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { cutText, fillLines, measureText, padText } from './text-width.js';
import type { View } from './view.js';

const gap = '  ';

/** Each step is a line, and its errors are below it where the line has no room. Ends with a line break. */
export function renderInstance(instance: InstanceDetail, view: View): string {
  const { saga, state, version, startedAt, trigger, reason, steps } = instance;
  const { theme } = view;
  const cause = trigger === null ? '' : ` by ${sanitise(trigger.type)} @${groupDigits(trigger.globalPosition)}`;
  const started = startedAt === null ? '' : `started ${showTime(startedAt, view, 'local')}${cause}`;
  const name = sanitise(`${saga} ${instance.instance}`);
  const because = reason === null ? '' : cutText(`because ${sanitise(reason)}`, view.width - gap.length, view.unicode);
  const facts = [started, `v${version}`, because].filter((fact) => fact !== '');
  const head = fillLines([theme.strong(name), paintState(state, view), ...facts], view.width, gap);
  const names = steps.map((step) => sanitise(step.name));
  const widest = Math.min(Math.floor(view.width / 2), Math.max(0, ...names.map(measureText)));
  const first = steps.map((step) => describeAction(step, view));
  const second = steps.map((step) => describeCompensation(step, view));
  const middle = Math.max(0, ...first.map(measureText));
  const lines = steps.flatMap((step, at) => {
    const start = `${gap}${padText(cutText(names[at] ?? '', widest, view.unicode), widest)}${gap}`;
    const did = second[at] === '' ? first[at] : `${padText(first[at] ?? '', middle)}${gap}${second[at]}`;
    if (measureText(`${start}${did}`) <= view.width) return addErrors(`${start}${did}`, step, view);
    return [`${start}${first[at]}`, ...addErrors(`${gap}${gap}${gap}${second[at]}`, step, view)];
  });
  return [...head, ...lines, ...describeWait(instance, view)].map((line) => `${line.trimEnd()}\n`).join('');
}

function describeWait({ waitsFor, owner }: InstanceDetail, view: View): readonly string[] {
  if (waitsFor === null)
    return owner === null ? [] : [cutText(`${gap}held by ${sanitise(owner)}`, view.width, view.unicode)];
  const { step, kind, types, key, until } = waitsFor;
  const time = until === null ? 'for ever' : `until ${showTime(until, view, 'local')}`;
  const event = `for ${(types ?? []).join(' or ')} with the key ${key}, ${time}`;
  const what = { event, time: time, retry: `for its next attempt, ${time}` }[kind];
  return [cutText(`${gap}${sanitise(`${step} waits ${what}`)}`, view.width, view.unicode)];
}

function paintState(state: InstanceDetail['state'], view: View): string {
  const { theme } = view;
  if (state === 'compensation-failed') return theme.bad(`${mark('bad', view)} ${state}`);
  if (state === 'completed') return theme.good(`${mark('good', view)} ${state}`);
  return state === 'running' ? state : theme.caution(state);
}

function mark(kind: 'good' | 'bad', { unicode }: View): string {
  if (kind === 'good') return unicode ? '✓' : '+';
  return unicode ? '✗' : 'x';
}

function describeAction({ state, attempts, error, startedAt, endedAt }: StepDetail, view: View): string {
  const tries = attempts > 1 ? `${attempts} tries, ` : '';
  const at = endedAt ?? startedAt;
  const time = at === null ? '' : showTime(at, view, 'local');
  if (state === 'waiting' && error === null) return time === '' ? 'waiting' : `waiting since ${time}`;
  if (state === 'running') return `running since ${time}${attempts > 1 ? `, try ${attempts}` : ''}`;
  if (error !== null) return `${mark('bad', view)} ${tries}${tries === '' ? 'failed' : 'last'} ${time}`;
  if (state === 'unknown') return `? may have taken effect, ${tries}last ${time}`;
  const took =
    startedAt === null || endedAt === null ? '' : ` (${formatDuration(Date.parse(endedAt) - Date.parse(startedAt))})`;
  return `${mark('good', view)} done ${time}${took}`;
}

function describeCompensation({ state, compensations, compensatedAt }: StepDetail, view: View): string {
  if (compensations === 0) return '';
  const time = compensatedAt === null ? '' : showTime(compensatedAt, view, 'local');
  if (state === 'compensated') return `${mark('good', view)} compensated ${time}`;
  const tries = compensations > 1 ? `${compensations} tries, ` : '';
  return `${mark('bad', view)} compensate, ${tries}last ${time}`;
}

function addErrors(line: string, { error, compensationError }: StepDetail, view: View): readonly string[] {
  const { theme, width, unicode } = view;
  const compensation = compensationError === null ? null : `compensation: ${compensationError}`;
  const errors = [error, compensation].flatMap((text) =>
    text === null ? [] : [sanitise(text.split('\n', 1)[0] ?? '')],
  );
  const [only] = errors;
  if (errors.length === 1 && only !== undefined && measureText(line) + gap.length + measureText(only) <= width) {
    return [`${line}${gap}${theme.bad(only)}`];
  }
  return [cutText(line, width, unicode), ...errors.map((text) => theme.bad(cutText(`      ${text}`, width, unicode)))];
}
