-- Lists the registered projections by name, or the one named ?1 unless null: name, version, code hash, tables,
-- generation, time, target, parts, and whether appends leave its events to the runner because of a swap.
select p.name, p.version, p.code_hash, p.tables,
       coalesce((select max(c.generation) from subscription_checkpoints c
                  where c.subscription_id = p.name or substr(c.subscription_id, 1, length(p.name) + 1) = p.name || '#'), 0),
       p.registered_at, p.target, p.parts,
       exists (select 1 from subscription_checkpoints c
                where c.subscription_id = p.name and c.token = p.inline_rest_token and c.owner is not null
                  and c.lease_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
  from evstore_projections p
 where ?1 is null or p.name = ?1
 order by p.name
