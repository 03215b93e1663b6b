-- Projection $1, version $2, code hash $3, facts $4, lease for owner $5 and $6 milliseconds. Id and token.
insert into public.evstore_rebuilds (projection, version, code_hash, state, tables, facts, owner, token, lease_expires_at)
values ($1, $2, $3, 'planned', '[]', $4, $5, nextval('public.evstore_token_seq'),
        clock_timestamp() + $6 * interval '1 millisecond')
returning id, token
