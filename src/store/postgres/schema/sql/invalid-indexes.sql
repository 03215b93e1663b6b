-- Lists the invalid indexes of schema $1, without those on ids, which have a check of their own: index, table, both
-- quoted, whether an index of the database may be being made now.
select format('%I.%I', n.nspname, x.relname), format('%I.%I', n.nspname, c.relname),
       exists (select from pg_stat_progress_create_index p
                where p.datname = current_database() and coalesce(p.index_relid, i.indexrelid) in (0, i.indexrelid))
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  join pg_class c on c.oid = i.indrelid
  join pg_namespace n on n.oid = x.relnamespace
 where n.nspname = $1 and not i.indisvalid and x.relkind = 'i'
   and x.relname not in ('events_correlation_id_idx', 'events_causation_id_idx')
 order by 1
