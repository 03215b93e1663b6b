-- Returns name, version and code hash of what is live, for those projections of the JSON list ?1 that run in one part
-- and that appends may write now.
select name, version, code_hash
  from evstore_projections
 where name in (select value from json_each(?1)) and parts = 1
   and (inline_rests_until is null or inline_rests_until <= strftime('%Y-%m-%dT%H:%M:%f', 'now'))
