-- Takes for owner $1, process $2 and $3 milliseconds up to $4 instances that are due and not held, of the definitions with
-- the sagas $5, versions $6 and hashes $7. Returns saga, instance and version of the stream, the longest due
-- first. The time is a subquery, so that the index is read up to it and no further.
with due as (
  select s.saga, s.instance, s.due_at
    from unnest($5::text[], $6::integer[], $7::text[]) as d(saga, version, definition)
   cross join lateral (
      select i.saga, i.instance, i.due_at
        from public.evstore_sagas i
       where i.saga = d.saga and i.saga_version = d.version and i.definition = d.definition
         and i.due_at <= (select clock_timestamp())
         and (i.owner is null or i.claim_expires_at is null or i.claim_expires_at <= clock_timestamp())
       order by i.due_at
       limit $4
         for update skip locked
   ) s
   order by s.due_at
   limit $4
), claimed as (
  update public.evstore_sagas i
     set owner = $1, owner_process = $2, claim_expires_at = clock_timestamp() + $3 * interval '1 millisecond'
    from due
   where i.saga = due.saga and i.instance = due.instance
  returning i.saga, i.instance, i.stream_version, i.due_at
)
select saga, instance, stream_version from claimed order by due_at, saga, instance
