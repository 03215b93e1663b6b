-- Moves the sequence of positions to the end of the log when it is behind. Returns the position; no row when nothing was
-- wrong. Parameters: none.
select setval('public.events_global_position_seq', ends.highest)
  from (select max(global_position) as highest from public.events) as ends
 where ends.highest > coalesce(pg_sequence_last_value('public.events_global_position_seq'), 0)
