/** Checks that the schema is the one this program knows. */
import type { Finding } from '../domain/finding.js';
import { count } from '../domain/words.js';
import type { Diagnosis, SchemaAdmin, SchemaStatus } from '../store/store.js';

export async function examineSchema(schema: SchemaAdmin): Promise<Diagnosis> {
  const status = await schema.status();
  const { version, latest } = status;
  const facts = [{ name: 'schema', value: version === 0 ? 'none' : `version ${version} of ${latest}` }];
  return { facts, findings: judge(status) };
}

function judge({ version, latest, migrations }: SchemaStatus): readonly Finding[] {
  const error = (kind: string, detail: string, next: string): Finding => {
    return { kind, severity: 'error', subject: 'schema', detail, next };
  };
  if (version === 0) return [error('no-schema', 'does not exist yet', 'evstore init')];
  if (migrations.some((each) => each.state === 'unknown' && each.version <= latest)) {
    const detail = 'was made by another line of migrations, of an unreleased evstore: no command works';
    return [error('schema-other', detail, 'evstore migrate status')];
  }
  if (version > latest) {
    const detail = `is at version ${version}, but this evstore knows only ${latest}: a newer evstore upgraded it`;
    return [error('schema-newer', detail, 'npm install evstore@latest')];
  }
  const pending = migrations.filter(({ state }) => state === 'pending');
  const drifted = migrations.filter(({ state }) => state === 'drifted');
  return [
    ...(pending.length === 0
      ? []
      : [
          error(
            'schema-pending',
            `lacks ${count(pending.length, 'migration')}: ${pending.map(({ name }) => name).join(', ')}`,
            'evstore migrate up',
          ),
        ]),
    ...drifted.map(
      ({ version: number, name }): Finding => ({
        kind: 'schema-drifted',
        severity: 'warning',
        subject: 'schema',
        detail: `was made by a different text of migration ${number} ${name}`,
        next: 'evstore migrate status',
      }),
    ),
  ];
}
