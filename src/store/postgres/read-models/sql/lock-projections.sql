-- Projections $1, sorted, locked until the transaction ends, each exclusively if $2 says so: name, version and code hash of
-- what is live and runs in one part.
select name, version, code_hash from public.evstore_lock_projections($1::text[], $2::boolean[])
