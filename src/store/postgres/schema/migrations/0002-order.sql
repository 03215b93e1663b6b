-- Global order without gaps in what a reader has seen: the in-flight floor.
--
-- Each transaction that inserts holds, in a shared advisory lock, a lower bound of the positions it may take. A reader
-- takes the highest visible position H, then the smallest bound F held by anybody, and may read up to min(H, F). A
-- position p <= H was drawn before H was read, so its writer held its lock by then; locks go only after the transaction
-- has become visible, so a writer still invisible afterwards still held it when F was read: F < p.
--
-- The key of the lock is a 16-bit number of this store (evstore_meta.tag) followed by 48 bits of the bound.

create function public.evstore_floor_events() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
  me text := pg_current_xact_id()::text;
begin
  -- Once per transaction; ROLLBACK TO undoes the lock and the setting together.
  if current_setting('evstore.floor_' || /*tag*/1, true) is distinct from me then
    perform pg_advisory_xact_lock_shared(
      (/*tag*/1::bigint << 48) | coalesce(pg_sequence_last_value('public.events_global_position_seq'), 0));
    -- After the lock: a cancelled wait must not leave the setting behind.
    perform set_config('evstore.floor_' || /*tag*/1, me, true);
  end if;
  return null;
end
$$;

-- Triggers fire in the order of their names: this one is first, before any other could draw a position.
create trigger "00_evstore_floor" before insert on public.events
  for each statement execute function public.evstore_floor_events();
alter table public.events enable always trigger "00_evstore_floor";

-- Three statements in this order, each with its own snapshot; the caller reads rows in a fourth. Merged into one
-- statement, or declared stable, it would lose events. When nothing is visible beyond "after" the locks are not read.
create function public.evstore_safe_head(after bigint default -1) returns bigint
language plpgsql volatile parallel unsafe set search_path = pg_catalog, pg_temp as $$
declare
  highest bigint;
  lowest_floor bigint;
begin
  if pg_is_in_recovery() then
    raise exception 'a standby cannot tell which positions are still open' using errcode = 'EV002';
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the safe head needs READ COMMITTED, not %', current_setting('transaction_isolation')
      using errcode = 'EV003';
  end if;
  select coalesce(max(global_position), 0) into highest from public.events;
  if highest <= after then
    return highest;
  end if;
  select min(((classid::bigint & 65535) << 32) | objid::bigint) into lowest_floor
    from pg_locks
   where locktype = 'advisory' and objsubid = 1 and granted and (classid::bigint >> 16) = /*tag*/1
     and database = (select oid from pg_database where datname = current_database());
  return least(highest, lowest_floor);
end
$$;
