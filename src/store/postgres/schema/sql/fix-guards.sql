-- Restores the properties of events and of its sequence that the order of the log depends on. Repeating it changes
-- nothing. Parameters: none.
do $$
declare
  identity "char" := (select attidentity from pg_attribute
                       where attrelid = 'public.events'::regclass and attname = 'global_position');
begin
  if (select relpersistence from pg_class where oid = 'public.events'::regclass) = 'u' then
    alter table public.events set logged;
  end if;
  if identity = 'd' then
    alter table public.events alter column global_position set generated always;
  elsif identity <> 'a' then
    alter table public.events alter column global_position drop default;
    drop sequence if exists public.events_global_position_seq;
    alter table public.events alter column global_position add generated always as identity
      (sequence name public.events_global_position_seq minvalue 1 maxvalue 281474976710655 cache 1);
  end if;
  if to_regclass(pg_get_serial_sequence('public.events', 'global_position'))
     <> coalesce(to_regclass('public.events_global_position_seq'), 0) then
    execute format('alter sequence %s rename to events_global_position_seq',
                   pg_get_serial_sequence('public.events', 'global_position'));
  end if;
  alter sequence public.events_global_position_seq increment by 1 no cycle cache 1;
  if not exists (select from pg_constraint
                  where conrelid = 'public.events'::regclass and contype = 'u' and conname = 'events_id_key') then
    alter table public.events add constraint events_id_key unique (id);
  end if;
  if not exists (select from pg_constraint
                  where conrelid = 'public.events'::regclass and contype = 'u'
                    and conname = 'events_stream_version_key') then
    alter table public.events add constraint events_stream_version_key unique (stream_id, version);
  end if;
end
$$
