/** Which events a filter lets through, as both engines decide it: for readers that share one pass over the log. */
import type { AuditFilter } from './audit.js';
import type { RecordedEvent } from './event.js';

export function matches({ category, types }: AuditFilter, event: Pick<RecordedEvent, 'streamId' | 'type'>): boolean {
  if (types !== undefined && !types.includes(event.type)) return false;
  return category === undefined || event.streamId === category || event.streamId.startsWith(`${category}-`);
}

/** Lets through at least what any of them does; more where they are of several categories. @param filters at least one */
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
