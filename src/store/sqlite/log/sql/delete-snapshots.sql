-- Deletes the snapshots of streams and versions ?1, a JSON array of [stream, version], and returns the streams.
delete from snapshots
 where (stream_id, version) in (select value ->> 0, value ->> 1 from json_each(?1))
returning stream_id
