-- Returns the lowest position up to $2 of an event of the time $1 or later. The index of times and positions leads to it.
select min(f.global_position)
  from (
    select global_position
      from public.events
     where created_at >= $1::timestamptz and global_position <= $2::bigint
    offset 0
  ) f
