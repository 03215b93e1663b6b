-- Counts the events after $1 up to $2, and adds up the last 32 bits of their ids.
select count(*), coalesce(sum(('x' || right(id::text, 8))::bit(32)::bigint), 0)
  from public.events
 where global_position > $1 and global_position <= $2 /* filter */
