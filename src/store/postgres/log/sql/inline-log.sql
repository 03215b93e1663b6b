-- May projection $1 take events of stream $2 from position $3 on? Only if nothing that it wants waits before them: every
-- event beyond the checkpoint is marked. One that is more than 10,000 positions behind is not looked at further. No row
-- without a checkpoint.
select case
         when $3::bigint - c.last_position > 10000 then false
         else not exists (
                select from public.evstore_parked p
                 where p.projection collate "C" = $1 and p.rebuild = 0 and p.stream_id = $2 and p.state = 'parked')
          and not exists (
                select from public.events e
                 where e.global_position > c.last_position and e.global_position < $3::bigint /* filter */
                   and not exists (
                     select from public.evstore_inlined i
                      where i.projection = $1 and i.rebuild = 0 and i.global_position = e.global_position))
       end
  from public.subscription_checkpoints c
 where c.subscription_id = $1
