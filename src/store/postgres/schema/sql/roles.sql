-- A script for psql that creates the roles of a store. Parameters: none.
begin;

-- Creates four roles for one store, each with the privileges that its work needs. Run it as a superuser, after evstore
-- init and again after every upgrade:
--
--   evstore init --roles | psql -v ON_ERROR_STOP=1 DATABASE
--
-- They have no passwords: set them with \password evstore_app, and so on.
--
--   evstore_owner   owns the schema's objects: migrate
--   evstore_app     appends and reads, and keeps the checkpoint of a subscription of its own. It cannot choose a position,
--                   change an event, or undo what forbids it
--                   To append with inline projections, also: grant evstore_runner to evstore_app
--   evstore_runner  runs and rebuilds projections: reads the log, owns the read models. For sagas, which append, also:
--                   grant evstore_app to evstore_runner
--   evstore_reader  reads the log, the checkpoints and the read models: read, tail, lag, verify, doctor

do $$
declare
  role text;
begin
  foreach role in array array['evstore_owner', 'evstore_app', 'evstore_runner', 'evstore_reader'] loop
    if not exists (select from pg_roles where rolname = role) then
      execute format('create role %I login', role);
    end if;
  end loop;
end $$;

revoke create on schema public from public;
grant usage on schema public to evstore_owner, evstore_app, evstore_runner, evstore_reader;
grant create on schema public to evstore_owner, evstore_runner;

-- Sets the owners. Sequences of identity columns, and indexes, follow their tables.
do $$
declare
  store oid := (select relnamespace from pg_class where oid = 'public.events'::regclass);
  object record;
begin
  for object in
    select oid::regclass as name
      from pg_class
     where relnamespace = store and relkind = 'r'
       and (relname in ('events', 'snapshots', 'subscription_checkpoints') or starts_with(relname, 'evstore_'))
  loop
    execute format('alter table %s owner to evstore_owner', object.name);
  end loop;
  for object in select oid::regprocedure as name from pg_proc where pronamespace = store and starts_with(proname, 'evstore_')
  loop
    execute format('alter function %s owner to evstore_owner', object.name);
  end loop;
  for object in
    select c.oid::regclass as name
      from pg_class c
     where c.relnamespace = store and c.relkind = 'r' and c.relname in (
       select json_array_elements_text(tables) from public.evstore_projections
       union
       select t.name
         from public.evstore_rebuilds r, json_array_elements(r.tables) as x,
              unnest(array[x ->> 'built', x ->> 'old']) as t(name)
        where r.state not in ('retired', 'aborted'))
  loop
    execute format('alter table %s owner to evstore_runner', object.name);
  end loop;
end $$;
alter sequence public.evstore_token_seq owner to evstore_owner;

grant select on all tables in schema public to evstore_reader, evstore_runner;
alter default privileges for role evstore_runner in schema public grant select on tables to evstore_reader;
grant execute on function public.evstore_safe_head(bigint) to evstore_app, evstore_runner, evstore_reader;

grant select on public.events, public.snapshots, public.subscription_checkpoints, public.evstore_projections,
  public.evstore_checkpoint_changes, public.evstore_rebuilds, public.evstore_parked, public.evstore_sagas,
  public.evstore_meta, public.evstore_migrations to evstore_app;
grant insert (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at)
  on public.events to evstore_app;
grant execute on function
  public.evstore_lock_stream(text),
  public.evstore_lock_projections(text[], boolean),
  public.evstore_append(text, bigint, uuid[], text[], integer[], text[], text[], text[], text[]),
  public.evstore_append_event(varchar, bigint, uuid, varchar, integer, json, json, varchar, timestamptz)
  to evstore_app;
grant insert, update, delete on public.snapshots to evstore_app;
grant insert (subscription_id, last_position, updated_at), update (last_position, updated_at)
  on public.subscription_checkpoints to evstore_app;

grant usage on sequence public.evstore_token_seq to evstore_runner;
do $$
declare
  store oid := (select relnamespace from pg_class where oid = 'public.events'::regclass);
  journal record;
begin
  for journal in
    select oid::regclass as name
      from pg_class
     where relnamespace = store and relkind = 'r' and relname not in ('evstore_meta', 'evstore_migrations')
       and (relname = 'subscription_checkpoints' or starts_with(relname, 'evstore_'))
  loop
    execute format('grant insert, update, delete on %s to evstore_runner', journal.name);
  end loop;
end $$;

commit;
