-- Lists the 16-bit numbers of all stores in this database, as found in their triggers. Parameters: none.
select substring(prosrc from 'evstore\.floor_'' \|\| (\d+)')
  from pg_proc
 where proname = 'evstore_floor_events'
