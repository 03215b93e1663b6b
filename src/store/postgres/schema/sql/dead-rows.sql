-- Lists the tables of schema $1, without those of the store itself, with more dead rows than live ones, and at least $2 dead ones, by the statistics of the
-- server: table (quoted), dead rows, live rows, both estimated.
select format('%I.%I', schemaname, relname), n_dead_tup, n_live_tup
  from pg_stat_user_tables
 where schemaname = $1 and relname not in ('events', 'snapshots', 'subscription_checkpoints')
   and not starts_with(relname, 'evstore_') and n_dead_tup >= $2 and n_dead_tup > n_live_tup
 order by n_dead_tup desc
