import { expect, test } from 'vitest';
import { readLines } from '../../src/terminal/lines.js';

async function linesOf(...chunks: (string | number[])[]) {
  async function* source() {
    for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : Uint8Array.from(chunk);
  }
  const lines = [];
  for await (const line of readLines(source(), 'a.ndjson')) lines.push(line);
  return lines;
}

test('H11: lines end anywhere, and their numbers and offsets count bytes', async () => {
  expect(await linesOf('\uFEFFä', '\r\n', '\n', 'b\nc')).toEqual([
    { text: 'ä', number: 1, offset: 0 },
    { text: 'b', number: 3, offset: 8 },
    { text: 'c', number: 4, offset: 10 },
  ]);
});

test('a character cut between two chunks is whole again', async () => {
  expect(await linesOf([0xc3], [0xa4, 0x0a])).toEqual([{ text: 'ä', number: 1, offset: 0 }]);
});

test('H10 H11: input that is not UTF-8, UTF-16 too, is named', async () => {
  await expect(linesOf('ok\n', [0x61, 0xff])).rejects.toMatchObject({
    code: 'E_INVALID_INPUT',
    message: 'a.ndjson line 2 is not UTF-8',
    details: { line: 2, offset: 4 },
  });
  await expect(linesOf([0xff, 0xfe, 0x7b, 0])).rejects.toMatchObject({ message: 'a.ndjson is UTF-16' });
});

test('F14: a line without an end stops at the limit, not at the end of memory', async () => {
  let produced = 0;
  async function* endless() {
    for (;;) {
      produced += 1;
      yield Buffer.alloc(65_536, 0x61);
    }
  }
  const read = async () => {
    for await (const _ of readLines(endless(), 'stdin')) throw new Error('there is no line');
  };
  await expect(read()).rejects.toMatchObject({ code: 'E_INVALID_INPUT', details: { line: 1 } });
  expect(produced).toBeLessThan(40);
});
