/** Event ids: UUIDs made before the first attempt, so that a retry carries the same ones. */

/** The UUID v5 namespace of ids that evstore derives from text. */
const namespace = Buffer.from('6f8a1d0e5c3b4f7a9d2e41b07c95e8a3', 'hex');

/** One large request for random bytes is cheaper than many small ones. */
const poolBytes = 4_096;
const idBytes = 16;

let pool = Buffer.alloc(0);
let lastMillisecond = 0;
let counter = 0;

/** Any version and variant, either case. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}

/**
 * Returns a UUID v7. Ids increase within this process, so that new ids go to one side of the index; if the clock stops or
 * goes back, a counter continues from the latest time seen.
 */
export function newEventId(): string {
  const bytes = takeRandom();
  const now = Date.now();
  if (now > lastMillisecond) {
    lastMillisecond = now;
    counter = bytes.readUInt16BE(6) & 0x7ff;
  } else if (++counter > 0xfff) {
    lastMillisecond += 1;
    counter = 0;
  }
  bytes.writeUIntBE(lastMillisecond, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return formatUuid(bytes);
}

function takeRandom(): Buffer {
  if (pool.length === 0) pool = crypto().randomBytes(poolBytes);
  const bytes = pool.subarray(0, idBytes);
  pool = pool.subarray(idBytes);
  return bytes;
}

/** Returns a UUID v5 in evstore's namespace: the same text gives the same id everywhere. */
export function derivedId(text: string): string {
  const bytes = crypto().createHash('sha1').update(namespace).update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return formatUuid(bytes);
}

/** Loaded with the first id: commands that only read make none. */
function crypto() {
  return process.getBuiltinModule('node:crypto');
}

function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
