-- Returns name, version and code hash of what is live, and whether a swap is about to take its tables, for those projections
-- of the JSON list ?1 that run in one part.
select p.name, p.version, p.code_hash,
       exists (select 1 from subscription_checkpoints c
                where c.subscription_id = p.name and c.token = p.inline_rest_token and c.owner is not null
                  and c.lease_expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
  from evstore_projections p
 where p.name in (select value from json_each(?1)) and p.parts = 1
