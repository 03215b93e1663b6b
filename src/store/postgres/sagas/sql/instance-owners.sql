-- Lists the owners of instances: owner, process, how many, and in how many milliseconds the last of their claims ends.
-- Parameters: none.
select owner, owner_process, count(*),
       ceil(greatest(0, extract(epoch from max(claim_expires_at) - clock_timestamp()) * 1000))::bigint
  from public.evstore_sagas
 where owner is not null
 group by owner, owner_process
 order by owner
