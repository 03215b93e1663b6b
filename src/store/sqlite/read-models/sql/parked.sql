-- Lists parked events, each condition unless null: projection ?1, parts included, rebuild ?2, state ?3, stream ?4, at
-- most ?5. Returns projection, rebuild, position, id, stream, type, state, error, attempts, time.
select projection, rebuild, global_position, event_id, stream_id, event_type, state, error, attempts,
       parked_at
  from evstore_parked
 where (?1 is null or projection = ?1 or substr(projection, 1, length(?1) + 1) = ?1 || '#') and (?2 is null or rebuild = ?2)
   and (?3 is null or state = ?3) and (?4 is null or stream_id = ?4)
 order by projection, rebuild, global_position
 limit coalesce(?5, -1)
