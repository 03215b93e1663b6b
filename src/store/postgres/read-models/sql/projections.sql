-- Lists the registered projections by name, or the one named $1 unless null: name, version, code hash, tables,
-- generation, time, target, parts, and whether appends leave its events to the runner because of a swap.
select p.name, p.version, p.code_hash, p.tables::text,
       coalesce((select max(c.generation) from public.subscription_checkpoints c
                  where c.subscription_id = p.name or left(c.subscription_id, length(p.name) + 1) = p.name || '#'), 0),
       to_json(p.registered_at at time zone 'UTC') #>> '{}', p.target, p.parts,
       exists (select from public.subscription_checkpoints c
                where c.subscription_id = p.name and c.token = p.inline_rest_token and c.owner is not null
                  and c.lease_expires_at > clock_timestamp())
  from public.evstore_projections p
 where $1::text is null or p.name = $1
 order by p.name collate "C"
