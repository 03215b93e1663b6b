/** Judges whether the schema is the one that this program knows. */
import type { Finding } from '../domain/finding.js';
import { count } from '../domain/words.js';
import type { SchemaStatus } from '../store/store.js';

export function judgeSchema({ version, latest, migrations }: SchemaStatus): readonly Finding[] {
  const finding = (severity: Finding['severity'], kind: string, detail: string, next: string | null): Finding => {
    return { kind, severity, subject: 'schema', detail, next };
  };
  if (version === 0) return [finding('error', 'no-schema', 'does not exist yet', 'evstore init')];
  if (migrations.some((each) => each.state === 'unknown' && each.version <= latest)) {
    const detail = 'was made by another line of migrations, of an unreleased evstore: no command works';
    return [finding('error', 'schema-other', detail, 'evstore migrate status')];
  }
  if (version > latest) {
    const detail = `is at version ${version}, but this evstore knows only ${latest}: a newer evstore upgraded it`;
    return [finding('error', 'schema-newer', detail, 'npm install evstore@latest')];
  }
  const pending = namesOf({ migrations }, 'pending');
  const drifted = namesOf({ migrations }, 'drifted');
  const lacks = `lacks ${count(pending.length, 'migration')}: ${pending.join(', ')}`;
  const differs = `was made by a different text of ${count(drifted.length, 'migration')}: ${drifted.join(', ')}`;
  return [
    ...(pending.length === 0 ? [] : [finding('error', 'schema-pending', lacks, 'evstore migrate up')]),
    ...(drifted.length === 0 ? [] : [finding('warning', 'schema-drifted', differs, 'evstore doctor --fix schema')]),
  ];
}

function namesOf({ migrations }: Pick<SchemaStatus, 'migrations'>, state: string): readonly string[] {
  return migrations.filter((each) => each.state === state).map(({ name }) => name);
}
