import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import type { RebuildMode } from '../../src/projection/rebuild/plan.js';
import { planRebuilds, rebuildPlanned } from '../../src/projection/rebuild/rebuild.js';
import type { RebuildReport, RebuildSettings } from '../../src/projection/rebuild/rebuilding.js';

export interface RebuildOptions extends RebuildSettings {
  readonly projection: PreparedProjection;
  readonly mode: RebuildMode;
}

/** Rebuilds one projection, and throws the error of its report. */
export async function rebuildProjection(options: RebuildOptions): Promise<RebuildReport> {
  const planned = await planRebuilds(options.store, [options.projection], options.mode);
  const [report] = await rebuildPlanned(options, planned);
  if (report === undefined) throw new Error('a rebuild left no report');
  if (report.error !== null) throw report.error;
  return report;
}
