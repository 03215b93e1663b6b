-- Lists the registered projections by name, or the one named ?1 unless null: name, version, code hash, tables,
-- generation, time, target, parts.
select p.name, p.version, p.code_hash, p.tables,
       coalesce((select max(c.generation) from subscription_checkpoints c
                  where c.subscription_id = p.name or substr(c.subscription_id, 1, length(p.name) + 1) = p.name || '#'), 0),
       p.registered_at, p.target, p.parts
  from evstore_projections p
 where ?1 is null or p.name = ?1
 order by p.name
