/** The log as files, written once and kept: what `evstore import` reads, and what `COPY` and bare loops read. */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeOrders, type OrderEvent } from './orders.js';

/** Where they are kept. */
const dataFolder = join(tmpdir(), 'evstore-bench');

/** The columns of a row of the .copy files, in this order: all that is not given by the database. */
export const copyColumns =
  'id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at';

export type DataFormat = 'ndjson' | 'copy';

/** @returns the path of the file, made when it is not there */
export async function makeDataFile(events: number, format: DataFormat): Promise<string> {
  const path = join(dataFolder, `events-${events}.${format}`);
  if (existsSync(path)) return path;
  mkdirSync(dataFolder, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await pipeline(Readable.from(renderAll(events, format)), createWriteStream(unfinished));
  renameSync(unfinished, path);
  return path;
}

/** Pieces of some hundred kilobytes. */
function* renderAll(events: number, format: DataFormat): Generator<string> {
  const render = format === 'ndjson' ? renderLine : renderRow;
  let piece: string[] = [];
  for (const event of makeOrders(events)) {
    piece.push(render(event));
    if (piece.length < 1_000) continue;
    yield piece.join('');
    piece = [];
  }
  yield piece.join('');
}

/** As `evstore export` prints it. */
function renderLine({ position, id, streamId, version, type, data, metadata, createdAt }: OrderEvent): string {
  return `{"globalPosition":${position},"streamId":"${streamId}","version":${version},"type":"${type}","schemaVersion":1,"id":"${id}","data":${data},"metadata":${metadata},"streamType":"Order","createdAt":"${createdAt}"}\n`;
}

/** As `COPY` reads it. Nothing in these events needs escaping. */
function renderRow({ id, streamId, version, type, data, metadata, createdAt }: OrderEvent): string {
  return `${id}\t${streamId}\tOrder\t${type}\t1\t${data}\t${metadata}\t${version}\t${createdAt}\n`;
}
