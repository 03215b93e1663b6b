-- Lists the registered projections by name, or the one named ?1 unless null: name, version, code hash, tables,
-- generation, time, target, parts, and owner and process of the lease for whose swap appends leave its events to the runner.
select p.name, p.version, p.code_hash, p.tables,
       coalesce((select max(k.generation) from subscription_checkpoints k
                  where k.subscription_id = p.name or substr(k.subscription_id, 1, length(p.name) + 1) = p.name || '#'), 0),
       p.registered_at, p.target, p.parts,
       c.owner, c.owner_process
  from evstore_projections p
  left join subscription_checkpoints c
    on c.subscription_id = p.name and c.token = p.inline_rest_token and c.lease_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
 where ?1 is null or p.name = ?1
 order by p.name
