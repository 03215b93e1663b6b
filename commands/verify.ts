/** `evstore verify`: checks that the log is intact, and that every projection saw all of it. */

import { count } from '../src/domain/words.js';
import { groupDigits } from '../src/output/numbers.js';
import { verifyStore } from '../src/verify/verify.js';
import type { Command } from './options/command.js';
import { progressOption } from './options/shared-options.js';
import { noteFullScan } from './support/note-scan.js';
import { failOnFindings, printFindings } from './support/print-findings.js';

export const command: Command = {
  usage: 'verify',
  writes: 'nothing',
  examples: [
    { line: 'evstore verify', purpose: 'check versions, order, ids, guards, checkpoints; exit 1 on an error' },
    { line: "evstore verify --json | jq '.findings[]'", purpose: 'print the findings as JSON' },
  ],
  options: [progressOption()],
  run: async (_args, _flags, context) => {
    const store = await context.openStore();
    await noteFullScan(context, store);
    const progress = await context.progress('verify');
    const { signal } = context.io;
    const report = await verifyStore(store, {
      progress: (done, total) => progress.update(done, { total }),
      signal,
    }).finally(() => progress.stop());
    await printFindings(context, report.findings, report);
    const { events, position, cursors, audited } = report.checked;
    await context.note(
      `${report.findings.length === 0 ? 'no problems found: ' : ''}checked ${count(events, 'event')} up to position ${groupDigits(position)}, and ${groupDigits(audited)} of ${count(cursors, 'checkpoint')} for skipped events`,
    );
    failOnFindings(report.findings, { strict: false });
    return 0;
  },
};
