-- Returns whether projection ?1 may apply the events of stream ?2 from version ?3 on: only if no earlier event of the
-- stream that it wants (types in the JSON list ?4, null for all) still waits. The last such event must be at or below
-- the checkpoint, or marked. No row without a checkpoint.
select not exists (
         select 1 from evstore_parked p
          where p.projection = ?1 and p.rebuild = 0 and p.stream_id = ?2 and p.state = 'parked')
   and coalesce((
         select e.global_position <= c.last_position or exists (
                  select 1 from evstore_inlined i
                   where i.projection = ?1 and i.rebuild = 0 and i.global_position = e.global_position)
           from events e
          where e.stream_id = ?2 and e.version < ?3
            and (e.global_position <= c.last_position or ?4 is null or e.event_type in (select value from json_each(?4)))
          order by e.version desc
          limit 1), true)
  from subscription_checkpoints c
 where c.subscription_id = ?1
