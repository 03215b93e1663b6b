-- Returns a position up to $2: if times rise with positions, the events after it, and no others, are of the time $1 or later.
with recursive steps (low, high) as (
  select 0::bigint, $2::bigint
  union all
  select case when t.is_late then s.low else f.global_position end, case when t.is_late then s.middle else s.high end
    from (select low, high, (low + high) / 2 as middle from steps where low < high) s
    left join lateral (
      select global_position, created_at
        from public.events
       where global_position > s.middle
       order by global_position
       limit 1
    ) f on true
   cross join lateral (select coalesce(f.created_at >= $1::timestamptz, true) as is_late) t
)
select least(low, $2::bigint) from steps where low >= high
