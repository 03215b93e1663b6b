-- Returns the highest position after $2 and up to $3 of an event before the time $1. The index of times and positions leads
-- to it.
select max(f.global_position)
  from (
    select global_position
      from public.events
     where created_at < $1::timestamptz and global_position > $2::bigint and global_position <= $3::bigint
    offset 0
  ) f
