/** W4: the answer to the COMMIT of a swap is lost, before it got there and after. */
import { expect, it } from 'vitest';
import { withTestStore } from '../support/engines.js';
import { History } from '../support/history.js';
import { allowMoreTime } from '../support/more-time.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { type Cut, startWireProxy } from '../support/wire-proxy.js';
import { countsCode, importCounts, models, Observer } from './counts.js';
import { deploy, evstore, inFolder, succeed } from './trial.js';

allowMoreTime('whole rebuilds run as processes behind a wire that is cut');

it.each<Cut>(['before', 'after'])('W4: the wire is cut %s the COMMIT', (cut) =>
  withTestStore('postgres', (test) =>
    inFolder(async (parent) => {
      const trial = { test, random: makeRandom(freshSeed()) };
      const folder = deploy(parent, 'code', countsCode());
      const history = new History();
      const observer = new Observer(test, history);
      const findings: string[] = [];
      await importCounts(test, history, 200);
      await succeed(evstore(trial, folder, ['run', '--once']), 'the first run', findings);
      const proxy = await startWireProxy(test.url);
      let isSwapping = false;
      proxy.cutWhen(({ kind, bytes }) => {
        const text = bytes.toString('latin1');
        isSwapping ||= text.includes("state = 'swapped', old_version");
        return isSwapping && kind === 'Q' && /^commit/i.test(text.slice(5));
      }, cut);
      try {
        const through = { ...trial, test: { ...test, url: proxy.url } };
        const report = await succeed(
          evstore(through, folder, ['rebuild', models[0], '--json']),
          'the rebuild',
          findings,
        );
        expect(report, findings.join()).toMatchObject({ rebuilds: [{ outcome: 'swapped', position: 200 }] });
        expect(proxy.cuts).toBe(1);
      } finally {
        await proxy.close();
      }
      const rebuilds = await test.store.projections.rebuilds(models[0]);
      expect(rebuilds.map(({ state }) => state)).toEqual(['swapped']);
      expect([...findings, ...(await observer.lookAtEnd())]).toEqual([]);
    }),
  ),
);
