/** The table of projections/order-totals.mjs in SQL: what a set-based statement needs is the floor of any rebuild. */
import { runSql } from './psql.js';

/** Both ways to tell the last status were as fast; this one also does without a sort. */
const statements = `
  create table totals_by_sql as
    select stream_id as order_id, count(*)::integer as events,
           coalesce(sum((event_data->>'quantity')::bigint) filter (where event_type = 'ItemAdded'), 0)::bigint as items,
           substr(max(lpad(version::text, 10, '0') || event_type), 11) as status, max(created_at) as last_at
      from events group by stream_id;
  alter table totals_by_sql add primary key (order_id);
  create index on totals_by_sql (status)`;

/** @returns seconds */
export async function makeTotals(url: string, settings = ''): Promise<number> {
  return runSql(url, `${settings} ${statements}`);
}
