/** Times for people: relative ones in the largest unit that is not 0, or those of the local clock. */
import { formatDuration } from '../domain/duration.js';
import type { TimeStyle, View } from './view.js';

/** @param timestamp RFC 3339. @param usual how it is shown unless --times says something else */
export function showTime(timestamp: string, { now, times }: Pick<View, 'now' | 'times'>, usual: TimeStyle): string {
  const style = times ?? usual;
  if (style === 'iso') return timestamp;
  return style === 'local' ? formatLocal(timestamp, now) : formatAgo(timestamp, now);
}

/** `12:20:01` today, `2026-01-02 12:20:01` on another day, by the clock of this machine. @param timestamp RFC 3339 */
function formatLocal(timestamp: string, now: Date): string {
  const time = new Date(timestamp);
  if (Number.isNaN(time.getTime())) return timestamp;
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const isToday = time.toDateString() === now.toDateString();
  const day = `${String(time.getFullYear()).padStart(4, '0')}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return isToday ? clock : `${day} ${clock}`;
}

/** `3 min ago`, `just now`, `in 2 h` for a clock that is behind. @param timestamp RFC 3339 */
export function formatAgo(timestamp: string, now: Date): string {
  const elapsed = now.getTime() - Date.parse(timestamp);
  if (Number.isNaN(elapsed)) return timestamp;
  if (Math.abs(elapsed) < 1_000) return 'just now';
  return elapsed > 0 ? `${formatDuration(elapsed)} ago` : `in ${formatDuration(-elapsed)}`;
}
