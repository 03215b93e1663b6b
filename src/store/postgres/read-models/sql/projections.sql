-- Lists the registered projections by name, or the one named $1 unless null: name, version, code hash, tables,
-- generation, time, target, parts, and owner and process of the lease for whose swap appends leave its events to the runner.
select p.name, p.version, p.code_hash, p.tables::text,
       coalesce((select max(k.generation) from public.subscription_checkpoints k
                  where k.subscription_id = p.name or left(k.subscription_id, length(p.name) + 1) = p.name || '#'), 0),
       to_json(p.registered_at at time zone 'UTC') #>> '{}', p.target, p.parts,
       c.owner, c.owner_process
  from public.evstore_projections p
  left join public.subscription_checkpoints c
    on c.subscription_id = p.name and c.token = p.inline_rest_token and c.lease_expires_at > clock_timestamp()
 where $1::text is null or p.name = $1
 order by p.name collate "C"
