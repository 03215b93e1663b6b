-- What has happened stays: UPDATE, DELETE and TRUNCATE on events are refused, whoever asks.

create function public.evstore_refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on % is refused: events are immutable', tg_op, tg_table_name
    using errcode = 'EV001', hint = 'Append a correcting event instead.';
end
$$;

create trigger evstore_immutable before update or delete or truncate on public.events
  for each statement execute function public.evstore_refuse_change();
alter table public.events enable always trigger evstore_immutable;
