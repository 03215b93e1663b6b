-- Counts the events of stream ?1 that have one of the versions in the JSON array ?2, and adds up the bytes of their data and
-- metadata. Each is looked up in the index.
select count(*), coalesce(sum(octet_length(e.event_data) + octet_length(e.metadata)), 0)
  from json_each(?2) v
 cross join events e on e.stream_id = ?1 and e.version = v.value
