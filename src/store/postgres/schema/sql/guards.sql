-- Checks what the order and the immutability of the log depend on: one row for each broken promise, with what
-- doctor --fix can mend, or else a command that shows more. Parameters: none.
with log as (select 'public.events'::regclass as oid),
promises(holds, broken, fixable, next) as (
  select c.relkind = 'r', 'events is not an ordinary table', null, 'psql -c ''\d public.events'''
    from pg_class c, log where c.oid = log.oid
  union all
  select c.relpersistence = 'p', 'events is unlogged: a crash empties it', 'guards', null
    from pg_class c, log where c.oid = log.oid
  union all
  select not exists (select from pg_inherits i, log where log.oid in (i.inhrelid, i.inhparent)),
         'events is part of an inheritance tree', null, 'psql -c ''\d+ public.events'''
  union all
  -- It inserts with the positions and in the order of the other server, and fires no statement trigger.
  select not exists (select from pg_subscription_rel r, log where r.srrelid = log.oid),
         'events is fed by logical replication: positions appear out of order', null, 'psql -c ''table pg_subscription'''
  union all
  select exists (select from pg_trigger t, log
                  where t.tgrelid = log.oid and t.tgname = '00_evstore_floor' and t.tgenabled = 'A'
                    and t.tgtype = 6 and t.tgqual is null
                    and t.tgfoid = to_regprocedure('public.evstore_floor_events()')),
         'trigger 00_evstore_floor on events is missing or not ENABLE ALWAYS', 'guards', null
  union all
  select false, 'trigger ' || t.tgname || ' on events fires before 00_evstore_floor', null,
         'psql -c ' || quote_literal(format('drop trigger %I on public.events', t.tgname))
    from pg_trigger t, log
   where t.tgrelid = log.oid and not t.tgisinternal and t.tgname < '00_evstore_floor'
     and t.tgtype & 1 = 0 and t.tgtype & 2 = 2 and t.tgtype & 4 = 4
  union all
  select exists (select from pg_trigger t, log
                  where t.tgrelid = log.oid and t.tgname = 'evstore_immutable' and t.tgenabled = 'A'
                    and t.tgtype = 58 and t.tgqual is null
                    and t.tgfoid = to_regprocedure('public.evstore_refuse_change()')),
         'trigger evstore_immutable on events is missing or not ENABLE ALWAYS', 'guards', null
  union all
  select exists (select from pg_trigger t, log
                  where t.tgrelid = log.oid and t.tgname = 'evstore_versions' and t.tgenabled = 'A'
                    and t.tgtype = 4 and t.tgqual is null
                    and t.tgfoid = to_regprocedure('public.evstore_refuse_holes()')),
         'trigger evstore_versions on events is missing or not ENABLE ALWAYS', 'guards', null
  union all
  select exists (select from pg_attribute a, log
                  where a.attrelid = log.oid and a.attname = 'global_position' and a.attidentity = 'a'),
         'global_position is not GENERATED ALWAYS AS IDENTITY', 'guards', null
  union all
  select coalesce((select s.seqcache = 1 and s.seqincrement = 1 and not s.seqcycle
                     from pg_sequence s
                    where s.seqrelid = to_regclass(pg_get_serial_sequence('public.events', 'global_position'))
                      and s.seqrelid = to_regclass('public.events_global_position_seq')), false),
         'sequence events_global_position_seq is missing, caches, cycles or does not rise by 1', 'guards', null
  union all
  -- Rows were restored without it: positions behind what has been read would be assigned. Some accounts may not look.
  select case when has_sequence_privilege(to_regclass('public.events_global_position_seq'), 'usage, select')
              then coalesce(pg_sequence_last_value(to_regclass('public.events_global_position_seq')), 0)
                   >= coalesce((select max(e.global_position) from public.events e), 0)
              else true end,
         'sequence events_global_position_seq is behind the log: positions would be assigned twice', 'sequence', null
  union all
  select coalesce((select p.provolatile = 'v'
                     from pg_proc p where p.oid = to_regprocedure('public.evstore_safe_head(bigint)')), false),
         'function evstore_safe_head is missing or not VOLATILE', 'guards', null
  union all
  select coalesce((select p.provolatile = 'v' and p.prosecdef
                     from pg_proc p where p.oid = to_regprocedure('public.evstore_floor_events()')), false),
         'function evstore_floor_events is missing, not VOLATILE or not SECURITY DEFINER', 'guards', null
  union all
  select coalesce((select position('evstore.floor_' || m.tag || '''' in p.prosrc) > 0
                     from pg_proc p, public.evstore_meta m
                    where p.oid = to_regprocedure('public.evstore_floor_events()')), false),
         'function evstore_floor_events does not bear the tag of evstore_meta', 'guards', null
  union all
  select coalesce((select position('(classid::bigint >> 16) = ' || m.tag in p.prosrc) > 0
                     from pg_proc p, public.evstore_meta m
                    where p.oid = to_regprocedure('public.evstore_safe_head(bigint)')), false),
         'function evstore_safe_head does not bear the tag of evstore_meta', 'guards', null
  union all
  select count(*) = 2, 'ids or versions of a stream are not unique', 'guards', null
    from pg_constraint k, log
   where k.conrelid = log.oid and k.contype = 'u' and k.conname in ('events_id_key', 'events_stream_version_key')
  union all
  select not pg_is_in_recovery(), 'this server is a standby: which positions are open is known to the primary only', null, null
)
select broken, fixable, next from promises where not holds
