-- Returns in how many milliseconds the next instance of the definitions with the sagas $1, versions $2 and hashes $3 can be
-- claimed, 0 for now; null when none is due at any time. Each part reads a row or two, or the few that are
-- held: the time is a subquery, so that the index is read up to it and no further.
select case when min(s.at) is not null
            then ceil(greatest(0, extract(epoch from min(s.at) - clock_timestamp()) * 1000))::bigint end
  from unnest($1::text[], $2::integer[], $3::text[]) as d(saga, version, definition)
 cross join lateral (
    (select i.due_at as at
       from public.evstore_sagas i
      where i.saga = d.saga and i.saga_version = d.version and i.definition = d.definition
        and i.due_at > (select clock_timestamp())
      order by i.due_at
      limit 1)
    union all
    (select i.due_at
       from public.evstore_sagas i
      where i.saga = d.saga and i.saga_version = d.version and i.definition = d.definition
        and i.due_at <= (select clock_timestamp()) and i.owner is null
      order by i.due_at
      limit 1)
    union all
    (select min(greatest(i.due_at, i.claim_expires_at))
       from public.evstore_sagas i
      where i.saga = d.saga and i.saga_version = d.version and i.definition = d.definition
        and i.due_at <= (select clock_timestamp()) and i.owner is not null)
 ) s
