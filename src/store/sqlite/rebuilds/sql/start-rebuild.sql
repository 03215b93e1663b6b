-- Starts a rebuild of projection ?1, version ?2, code hash ?3, with facts ?4 and a lease for owner ?5, process
-- ?8, and ?6 milliseconds under token ?7. Returns id and token.
insert into evstore_rebuilds (projection, version, code_hash, state, tables, facts, owner, owner_process, token, lease_expires_at)
values (?1, ?2, ?3, 'planned', '[]', ?4, ?5, ?8, ?7,
        strftime('%Y-%m-%dT%H:%M:%f', 'now', '+' || (?6 / 1000.0) || ' seconds') || '000Z')
returning id, token
