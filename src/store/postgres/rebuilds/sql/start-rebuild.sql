-- Starts a rebuild of projection $1, version $2, code hash $3, with facts $4 and a lease for owner $5, process
-- $7, and $6 milliseconds. Returns id and token.
insert into public.evstore_rebuilds (projection, version, code_hash, state, tables, facts, owner, owner_process, token, lease_expires_at)
values ($1, $2, $3, 'planned', '[]', $4, $5, $7, nextval('public.evstore_token_seq'),
        clock_timestamp() + $6 * interval '1 millisecond')
returning id, token
