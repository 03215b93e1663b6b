/** What Postgres knows of a table and of everything around it, as text without identities, to be compared. */
import type { Raw } from './engines.js';

/** Tables of the store itself, and those that rebuilds keep beside the live ones. */
const others = String.raw`'^(events|snapshots|subscription_checkpoints|evstore_.*|.*__(v\d+|old)_\d+.*)$'`;

/** The order of grants means nothing. */
const sorted = (acl: string) => `array(select g::text from unnest(${acl}) g order by 1)`;

const listing = `
with r as (
  select * from pg_class
   where relnamespace = 'public'::regnamespace and relname !~ ${others} and relkind in ('r', 'v', 'm', 'S')
),
parts (what, name, text) as (
  select 'relation', relname::text,
         concat_ws(' | ', relkind, pg_get_userbyid(relowner), ${sorted('relacl')}, relpersistence, relrowsecurity, relforcerowsecurity,
                   relreplident, reloptions, relispopulated, obj_description(oid, 'pg_class'))
    from r
  union all
  select 'column', relname || '.' || attname,
         concat_ws(' | ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstattarget,
                   attstorage, attoptions, ${sorted('attacl')}, pg_get_expr(adbin, adrelid), col_description(r.oid, attnum),
                   case relkind when 'r' then pg_get_serial_sequence('public.' || quote_ident(relname), attname) end)
    from r join pg_attribute a on attrelid = r.oid and attnum > 0 and not attisdropped
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
   where relkind <> 'S'
  union all
  select 'index', relname, concat_ws(' | ', pg_get_indexdef(indexrelid), indisclustered, indisreplident, indisvalid,
                                     obj_description(indexrelid, 'pg_class'))
    from r join pg_index on indrelid = r.oid
  union all
  select 'constraint', relname || '.' || conname,
         concat_ws(' | ', pg_get_constraintdef(k.oid), convalidated, obj_description(k.oid, 'pg_constraint'))
    from r join pg_constraint k on conrelid = r.oid
  union all
  select 'trigger', relname || '.' || tgname,
         concat_ws(' | ', pg_get_triggerdef(g.oid), tgenabled, obj_description(g.oid, 'pg_trigger'))
    from r join pg_trigger g on tgrelid = r.oid and not tgisinternal
  union all
  select 'internal trigger', relname, count(*)::text from r join pg_trigger on tgrelid = r.oid and tgisinternal group by 2
  union all
  select 'policy', tablename || '.' || policyname,
         concat_ws(' | ', permissive, roles, cmd, qual, with_check, obj_description(p.oid, 'pg_policy'))
    from pg_policies join pg_policy p on polname = policyname
     and polrelid = format('%I.%I', schemaname, tablename)::regclass
   where tablename !~ ${others}
  union all
  select 'rule', relname || '.' || rulename,
         concat_ws(' | ', pg_get_ruledef(w.oid), ev_enabled, obj_description(w.oid, 'pg_rewrite'))
    from r join pg_rewrite w on ev_class = r.oid
  union all
  select 'statistics', stxname, concat_ws(' | ', pg_get_statisticsobjdef(s.oid), stxstattarget,
                                          obj_description(s.oid, 'pg_statistic_ext'), pg_get_userbyid(stxowner))
    from r join pg_statistic_ext s on stxrelid = r.oid
  union all
  select 'publication', pubname, to_jsonb(p)::text from pg_publication_tables p where tablename !~ ${others}
  union all
  select 'function', proname, pg_get_functiondef(oid) from pg_proc
   where pronamespace = 'public'::regnamespace and proname !~ '^evstore_' and prokind = 'f'
)
select what || ' ' || name || ': ' || text as line from parts order by 1`;

export async function listCatalog(raw: Raw): Promise<readonly string[]> {
  await raw.query('set search_path = pg_catalog; set jit = off');
  const rows = await raw.query(listing);
  await raw.query('reset search_path; reset jit');
  return rows.map(({ line }) => String(line));
}
