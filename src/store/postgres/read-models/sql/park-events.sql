-- Parks the events $4 at positions $3, of types $6 in streams $5, in states $7 with errors $8 after $9 attempts, for
-- projection $1 and the tables of rebuild $2 (0: the live ones). An event that is parked already keeps its time.
insert into public.evstore_parked
  (projection, rebuild, global_position, event_id, stream_id, event_type, state, error, attempts)
select $1, $2, *
  from unnest($3::bigint[], $4::uuid[], $5::varchar[], $6::varchar[], $7::text[], $8::text[], $9::integer[])
on conflict (projection, rebuild, global_position)
do update set state = excluded.state, error = excluded.error, attempts = excluded.attempts
