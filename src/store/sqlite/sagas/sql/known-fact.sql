-- Returns version and position of the event with the id ?2 in stream ?1; no row when there is none.
select version, global_position from events where id = ?2 and stream_id = ?1
