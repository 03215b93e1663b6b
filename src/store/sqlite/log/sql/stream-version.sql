-- Version of the last event of a stream; 0 when there is none. Parameters: stream.
select coalesce(max(version), 0) from events where stream_id = ?
