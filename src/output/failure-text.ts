/** The error of a handler, stored as one sentence with everything in it: what a list shows of it, in the order people read. */

/** `projection NAME failed on TYPE at position N: PART (FILE:LINE): MESSAGE. The event is version V of STREAM.` */
const onEvent = /^projection .+? failed on (.+) at position ([\d,]+): (.*)$/;
const inCode = /^(\S+) \((.*?:\d+)\): (.*)$/;
const ofStream = / The event is version [\d,]+ of .*$/;

/** Returns `OrderCancelled 603: cannot read the reason  projections/invoices.ts:4`; any other error as its first line. */
export function summariseFailure(error: string): string {
  const [line = ''] = error.split('\n', 1);
  const [, type, position, reason = line] = onEvent.exec(line) ?? [];
  const event = type === undefined ? '' : `${type} ${position}: `;
  return `${event}${summariseReason(reason)}`;
}

/** The same of an event that its row names: `cannot read the reason  projections/invoices.ts:4`. */
export function summariseReason(error: string): string {
  const [line = ''] = error.split('\n', 1);
  const text = line.replace(ofStream, '');
  const [, part, place, message] = inCode.exec(text) ?? [];
  if (part === undefined || place === undefined || message === undefined) return text;
  return `${message.replace(/^Error: /, '').replace(/\.$/, '')}  ${shorten(place)}`;
}

/** The file and its folder: what is above them is the same for all. */
function shorten(place: string): string {
  return place.split(/[\\/]/).slice(-2).join('/');
}
