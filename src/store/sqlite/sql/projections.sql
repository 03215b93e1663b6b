-- Registered projections by name: name, version, code hash, tables, generation, time, target; only the one named ?1 unless null.
select p.name, p.version, p.code_hash, p.tables, coalesce(c.generation, 0), p.registered_at, p.target
  from evstore_projections p
  left join subscription_checkpoints c on c.subscription_id = p.name
 where ?1 is null or p.name = ?1
 order by p.name
