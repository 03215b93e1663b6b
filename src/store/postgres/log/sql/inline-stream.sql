-- Returns whether projection $1 may apply the events of stream $2 from version $3 on: only if no earlier event of the
-- stream that it wants (types $4, null for all) still waits. The last such event must be at or below the checkpoint, or
-- marked. No row without a checkpoint.
select not exists (
         select from public.evstore_parked p
          where p.projection collate "C" = $1 and p.rebuild = 0 and p.stream_id = $2 and p.state = 'parked')
   and coalesce((
         select e.global_position <= c.last_position or exists (
                  select from public.evstore_inlined i
                   where i.projection = $1 and i.rebuild = 0 and i.global_position = e.global_position)
           from public.events e
          where e.stream_id = $2 and e.version < $3
            and (e.global_position <= c.last_position or $4::text[] is null or e.event_type = any($4::text[]))
          order by e.version desc
          limit 1), true)
  from public.subscription_checkpoints c
 where c.subscription_id = $1
