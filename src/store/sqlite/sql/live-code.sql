-- Projections of the JSON list ?1 that run in one part: name, version and code hash of what is live.
select name, version, code_hash from evstore_projections where name in (select value from json_each(?1)) and parts = 1
