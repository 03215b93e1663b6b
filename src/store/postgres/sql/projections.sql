-- Registered projections by name: name, version, code hash, tables, generation, time, target; only the one named $1 unless null.
select p.name, p.version, p.code_hash, p.tables::text, coalesce(c.generation, 0),
       to_json(p.registered_at at time zone 'UTC') #>> '{}', p.target
  from public.evstore_projections p
  left join public.subscription_checkpoints c on c.subscription_id = p.name
 where $1::text is null or p.name = $1
 order by p.name collate "C"
