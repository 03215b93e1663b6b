-- Finds what is wrong with the events after $1 up to $2: kind, stream, version, position, id, position of the other
-- event.
with slice as (
  select id, stream_id, version, global_position
    from public.events
   where global_position > $1 and global_position <= $2
)
select case when p.global_position is null then 'missing-version' else 'wrong-order' end,
       s.stream_id, s.version, s.global_position, s.id, p.global_position
  from slice s
  left join public.events p on p.stream_id = s.stream_id and p.version = s.version - 1
 where s.version > 1 and (p.global_position is null or p.global_position > s.global_position)
union all
select 'duplicate-version', s.stream_id, s.version, s.global_position, s.id, o.global_position
  from slice s
  join public.events o on o.stream_id = s.stream_id and o.version = s.version and o.global_position < s.global_position
union all
select 'duplicate-id', s.stream_id, s.version, s.global_position, s.id, o.global_position
  from slice s
  join public.events o on o.id = s.id and o.global_position < s.global_position
 order by 4
