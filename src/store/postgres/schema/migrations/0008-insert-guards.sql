-- What an INSERT of any program must keep: positions rise, and the versions of a stream have no holes.

-- As before, and a position is refused when the sequence is behind the log: after a restore or a switch of servers it
-- would draw positions that readers have passed. The log is read first, so that a sequence that is right is never behind.
create or replace function public.evstore_floor_events() returns trigger
language plpgsql volatile security definer as $$
declare
  is_first boolean := pg_catalog.pg_current_xact_id_if_assigned() is null;
  is_done boolean;
  highest bigint;
begin
  if not is_first and pg_catalog.current_setting('evstore.floor_/*tag*/1', true)
                      operator(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.text then
    return null;
  end if;
  highest := (select e.global_position from public.events e order by e.global_position desc limit 1);
  if highest operator(pg_catalog.>)
     coalesce(pg_catalog.pg_sequence_last_value('public.events_global_position_seq'), 0) then
    raise exception 'the sequence of positions is behind the log, which ends at %', highest using errcode = 'EV004';
  end if;
  is_done := pg_catalog.pg_advisory_xact_lock_shared(
    (/*tag*/1::bigint operator(pg_catalog.<<) 48) operator(pg_catalog.|)
    coalesce(pg_catalog.pg_sequence_last_value('public.events_global_position_seq'), 0)) is null;
  -- After the lock: a cancelled wait must leave neither behind.
  if is_first then
    is_done := pg_catalog.pg_current_xact_id() is null;
  else
    is_done := pg_catalog.set_config(
      'evstore.floor_/*tag*/1', pg_catalog.pg_current_xact_id()::pg_catalog.text, true) is null;
  end if;
  return null;
end
$$;

-- The version before must be there, at a lower position. Looked up for all rows of a statement at once: a trigger for each
-- row would take longer than storing it. Runs as its owner, who sees all events; without settings, as above.
create function public.evstore_refuse_holes() returns trigger
language plpgsql volatile security definer as $$
declare
  hole record;
begin
  select i.stream_id, i.version into hole
    from inserted i
   where i.version operator(pg_catalog.>) 1
     and not exists (
       select from public.events e
        where e.stream_id operator(pg_catalog.=) i.stream_id
          and e.version operator(pg_catalog.=) (i.version operator(pg_catalog.-) 1)
          and e.global_position operator(pg_catalog.<) i.global_position)
   limit 1;
  if found then
    raise exception 'version % of stream % does not follow an earlier event of version %',
                    hole.version, hole.stream_id, hole.version operator(pg_catalog.-) 1 using errcode = 'EV005';
  end if;
  return null;
end
$$;

create trigger evstore_versions after insert on public.events
  referencing new table as inserted
  for each statement execute function public.evstore_refuse_holes();
alter table public.events enable always trigger evstore_versions;
