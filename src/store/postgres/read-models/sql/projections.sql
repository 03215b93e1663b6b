-- Lists the registered projections by name, or the one named $1 unless null: name, version, code hash, tables,
-- generation, time, target, parts.
select p.name, p.version, p.code_hash, p.tables::text,
       coalesce((select max(c.generation) from public.subscription_checkpoints c
                  where c.subscription_id = p.name or left(c.subscription_id, length(p.name) + 1) = p.name || '#'), 0),
       to_json(p.registered_at at time zone 'UTC') #>> '{}', p.target, p.parts
  from public.evstore_projections p
 where $1::text is null or p.name = $1
 order by p.name collate "C"
