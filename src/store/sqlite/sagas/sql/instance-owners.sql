-- Lists the owners of instances: owner, process, how many, and in how many milliseconds the last of their claims ends.
-- Parameters: none.
select owner, owner_process, count(*),
       cast(round(max(0, coalesce((julianday(max(claim_expires_at)) - julianday('now')) * 86400000, 0))) as integer)
  from evstore_sagas
 where owner is not null
 group by owner, owner_process
 order by owner
