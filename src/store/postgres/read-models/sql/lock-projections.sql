-- Locks the projections $1, sorted, until the transaction ends: exclusively if $2. Returns name, version and code hash of
-- those that run in one part, and whether a swap is about to take their tables.
select name, version, code_hash, rests from public.evstore_lock_projections($1::text[], $2::boolean)
