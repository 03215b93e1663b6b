-- Creates checkpoint ?1 at position 0 unless it exists, or its projection has another number of parts. Returns a row
-- when it was created.
insert into subscription_checkpoints (subscription_id)
select ?1
 where not exists (
   select 1 from evstore_projections
    where (?1 = name or substr(?1, 1, length(name) + 1) = name || '#')
      and case when parts = 1 then ?1 <> name else ?1 not like '%#%/' || parts end
 )
on conflict do nothing
returning subscription_id
