-- Parks event ?4 at position ?3, of type ?6 in stream ?5, in state ?7 with error ?8 after ?9 attempts, for projection ?1
-- and the tables of rebuild ?2 (0: the live ones). An event that is parked already keeps its time.
insert into evstore_parked
  (projection, rebuild, global_position, event_id, stream_id, event_type, state, error, attempts)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
on conflict (projection, rebuild, global_position)
do update set state = excluded.state, error = excluded.error, attempts = excluded.attempts
