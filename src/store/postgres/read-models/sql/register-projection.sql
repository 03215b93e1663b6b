-- Registers a projection: name $1, version $2, code hash $3, tables $4, target $5. Returns a row when it is new.
insert into public.evstore_projections (name, version, code_hash, tables, target)
values ($1, $2, $3, $4, $5)
on conflict (name) do nothing
returning name
