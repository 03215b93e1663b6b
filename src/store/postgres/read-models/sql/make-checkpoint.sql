-- Creates checkpoint $1 at position 0 unless it exists, or its projection has another number of parts; that number
-- cannot change meanwhile. Returns a row when it was created.
with projection as (
  select name, parts from public.evstore_projections where name = split_part($1, '#', 1) for share
)
insert into public.subscription_checkpoints (subscription_id)
select $1
 where not exists (select from projection)
    or exists (select from projection where case when parts = 1 then $1 = name else $1 like '%#%/' || parts end)
on conflict do nothing
returning subscription_id
