-- Returns the version of the last event of stream ?; 0 when there is none.
select coalesce(max(version), 0) from events where stream_id = ?
