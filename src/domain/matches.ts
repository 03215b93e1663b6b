/** Applies a filter in memory, as both engines do in SQL, for readers that share one pass over the log. */
import type { AuditFilter } from './audit.js';
import type { RecordedEvent } from './event.js';

export function matches({ category, types }: AuditFilter, event: Pick<RecordedEvent, 'streamId' | 'type'>): boolean {
  if (types !== undefined && !types.includes(event.type)) return false;
  return category === undefined || event.streamId === category || event.streamId.startsWith(`${category}-`);
}

/** Returns a filter that passes at least what any of the filters does; more if they have several categories. @param filters at least one */
export function uniteFilters(filters: readonly AuditFilter[]): AuditFilter {
  const categories = new Set(filters.map(({ category }) => category));
  const [category] = categories;
  const types = new Set<string>();
  for (const filter of filters) for (const type of filter.types ?? []) types.add(type);
  return {
    ...(categories.size === 1 && category !== undefined && { category }),
    ...(filters.every((filter) => filter.types !== undefined) && { types: [...types] }),
  };
}
