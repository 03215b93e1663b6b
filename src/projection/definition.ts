/**
 * Projections as users write them. `defineProjection` and `defineSqlProjection` check the shape and give it back; the
 * result is recognised by shape, never by class, because the user's file may load another copy of evstore.
 */
import type { ColumnType } from '../domain/read-model.js';

/** An event as handlers get it: `data` and `metadata` parsed, numbers as JavaScript numbers. */
export interface Event<Type extends string = string, Data = any> {
  readonly id: string;
  readonly streamId: string;
  readonly streamType: string;
  readonly type: Type;
  readonly schemaVersion: number;
  readonly data: Data;
  readonly metadata: Readonly<Record<string, any>>;
  readonly version: number;
  readonly globalPosition: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}
