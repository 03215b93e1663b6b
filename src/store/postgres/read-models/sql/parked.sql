-- Lists parked events, each condition unless null: projection $1, parts included, rebuild $2, state $3, stream $4, at
-- most $5. Returns projection, rebuild, position, id, stream, type, state, error, attempts, time.
select projection, rebuild, global_position, event_id, stream_id, event_type, state, error, attempts,
       to_json(parked_at at time zone 'UTC') #>> '{}'
  from public.evstore_parked
 where ($1::text is null or projection = $1 or starts_with(projection, $1 || '#')) and ($2::bigint is null or rebuild = $2)
   and ($3::text is null or state = $3) and ($4::text is null or stream_id = $4)
 order by projection collate "C", rebuild, global_position
 limit $5::bigint
