/**
 * The main job from end to end by the packed program, as shell commands, on both engines: import, run, lag, rebuild,
 * rollback and export, while another process appends and readers look at the table.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStore, forEachEngine } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

const permits = 120;
const eventsEach = 6;

const projection = `import { defineProjection } from 'evstore';
export default defineProjection({
  name: 'permit_summary',
  version: 1,
  category: 'Permit',
  table: { columns: { permitId: 'text', eventCount: 'integer', lastType: 'text' }, key: 'permitId' },
  on: { '*': (row, event) => ({ ...row, eventCount: (row?.eventCount ?? 0) + 1, lastType: event.type }) },
});
`;

/** Events of all permits, interleaved, with numbers no double can hold. */
function makeLines(): string[] {
  return Array.from({ length: permits * eventsEach }, (_, index) => {
    const permit = index % permits;
    const step = Math.floor(index / permits) + 1;
    const data = `{"step":${step},"fee":1234567890123456789${index}.10,"note":"Zürich ${index}"}`;
    const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
    return `{"streamId":"Permit-${permit}","type":"Step${step}","data":${data},"metadata":{"correlationId":"p${permit}"},"createdAt":"${createdAt}"}`;
  });
}

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed.remove());

forEachEngine((engine) => {
  test(`the main job on ${engine}`, async () => {
    const store = await createTestStore(engine, { migrated: false });
    try {
      const cwd = join(packed.folder, engine);
      mkdirSync(join(cwd, 'projections'), { recursive: true });
      writeFileSync(join(cwd, 'projections/permit-summary.ts'), projection);
      const lines = makeLines();
      writeFileSync(join(cwd, 'permits.ndjson'), `${lines.join('\n')}\n`);
      const env = { EVSTORE_URL: store.url };
      const evstore = (...args: string[]) => packed.evstore(args, { cwd, env });
      const report = async (...args: string[]) => {
        const result = await evstore(...args, '--json');
        expect(result, result.stderr).toMatchObject({ code: 0 });
        return JSON.parse(result.stdout);
      };

      expect(await evstore('read')).toMatchObject({ code: 2, stdout: '' });
      expect(await evstore('init')).toMatchObject({ code: 0 });
      expect(await report('import', 'permits.ndjson')).toMatchObject({
        imported: lines.length,
        known: 0,
        streams: permits,
      });
      expect(await report('import', 'permits.ndjson')).toMatchObject({ imported: 0, known: lines.length, streams: 0 });

      expect(await evstore('export', '--to', 'out.ndjson')).toMatchObject({ code: 0 });
      const exported = readFileSync(join(cwd, 'out.ndjson'), 'utf8').trimEnd().split('\n');
      expect(exported).toHaveLength(lines.length);
      for (const [index, line] of exported.entries()) {
        const data = /"data":(\{.*?\})/;
        expect(data.exec(line)?.[1]).toBe(data.exec(lines[index] ?? '')?.[1]);
        const [, createdAt] = /"createdAt":"([^"]+)"/.exec(lines[index] ?? '') ?? [];
        expect(JSON.parse(line)).toMatchObject({ createdAt });
      }

      expect(await evstore('run', '--once')).toMatchObject({ code: 0 });
      const rows = () =>
        store.raw.query('select permit_id, event_count, last_type from permit_summary order by permit_id');
      const live = await rows();
      expect(live).toHaveLength(permits);
      expect(await evstore('lag', '--max-lag', '0')).toMatchObject({ code: 0 });

      const appending = packed.shell(
        'for n in 1 2 3 4 5; do evstore append Permit-new --type Step1 --data "{\\"n\\":$n}"; done',
        { cwd, env },
      );
      let reading = true;
      const seen: number[] = [];
      const reader = (async () => {
        while (reading) {
          const [row] = await store.raw.query('select sum(event_count) as total from permit_summary');
          seen.push(Number(row?.total));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      expect(await evstore('rebuild', 'permit_summary', '--yes')).toMatchObject({ code: 0 });
      expect(await appending).toMatchObject({ code: 0 });
      expect(await evstore('run', '--once')).toMatchObject({ code: 0 });
      reading = false;
      await reader;
      expect(seen.every((total, index) => total >= (seen[index - 1] ?? lines.length))).toBe(true);

      const rebuilt = await rows();
      expect(rebuilt.filter((row) => row.permit_id !== 'Permit-new')).toEqual(live);
      expect(rebuilt.reduce((sum, row) => sum + Number(row.event_count), 0)).toBe(lines.length + 5);

      expect(await evstore('rollback', 'permit_summary', '--yes')).toMatchObject({ code: 0 });
      expect(await rows()).toEqual(rebuilt);
      expect(await evstore('lag', '--max-lag', '0')).toMatchObject({ code: 0 });
    } finally {
      await store.cleanup();
    }
  });
});
