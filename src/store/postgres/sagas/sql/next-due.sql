-- Returns in how many milliseconds the next instance of the definitions with the sagas $1, versions $2 and hashes $3 can be
-- claimed, 0 for now; null when none is due at any time.
select case when min(s.at) is not null
            then ceil(greatest(0, extract(epoch from min(s.at) - clock_timestamp()) * 1000))::bigint end
  from unnest($1::text[], $2::integer[], $3::text[]) as d(saga, version, definition)
 cross join lateral (
    (select i.due_at as at
       from public.evstore_sagas i
      where i.saga = d.saga and i.saga_version = d.version and i.definition = d.definition
        and i.due_at > clock_timestamp()
      order by i.due_at
      limit 1)
    union all
    (select min(case when i.owner is null then i.due_at else greatest(i.due_at, i.claim_expires_at) end)
       from public.evstore_sagas i
      where i.saga = d.saga and i.saga_version = d.version and i.definition = d.definition
        and i.due_at <= clock_timestamp())
 ) s
