-- Deletes the snapshots of streams $1 that are still of versions $2, and returns the streams.
delete from public.snapshots s
 using unnest($1::text[], $2::bigint[]) as given (stream_id, version)
 where s.stream_id = given.stream_id and s.version = given.version
returning s.stream_id
