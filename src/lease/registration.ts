/** Looks up what made the live rows, and checks that the loaded code can continue them. */
import { EvstoreError } from '../domain/errors.js';
import type { ProjectionRecord, Registration, Store } from '../store/store.js';

/**
 * @throws E_STALE_PROJECTION when another version made the rows
 * @throws E_CONFIG when the rows moved into the store's database, or out of it
 */
export function assertVersion(
  record: ProjectionRecord,
  projection: Pick<Registration, 'name' | 'version' | 'model'>,
): void {
  const { name, version } = projection;
  assertSamePlace(record, projection);
  if (record.version === version) return;
  const isNewer = version > record.version;
  throw new EvstoreError(
    'E_STALE_PROJECTION',
    `projection ${name} has rows of version ${record.version}, but the code is version ${version}`,
    {
      why: isNewer
        ? 'The rows were made by older code. Rebuild them with this code.'
        : 'The rows were made by newer code. Deploy that code here, or roll the projection back.',
      next: isNewer ? `evstore rebuild ${name}` : `evstore rollback ${name}`,
      details: { projection: name, registered: record.version, code: version },
    },
  );
}

/** @throws E_CONFIG */
export function assertSamePlace(
  { name, tables, target }: ProjectionRecord,
  projection: Pick<Registration, 'model'>,
): void {
  const isExternal = projection.model.kind === 'external';
  if (isExternal === (target !== null)) return;
  throw new EvstoreError('E_CONFIG', `projection ${name} is ${isExternal ? 'external now' : 'no longer external'}`, {
    why: `Its rows are ${target === null ? `in ${tables.join(', ')} of this store` : `in ${target}, outside this store`}, and a swap cannot move them. Give the new projection another name.`,
  });
}

export async function findRecord({ projections }: Store, name: string): Promise<ProjectionRecord | undefined> {
  return (await projections.list()).find((record) => record.name === name);
}
