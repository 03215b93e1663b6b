-- What has happened stays: UPDATE, DELETE and REPLACE on events are refused, whoever asks.

create trigger evstore_no_update before update on events
begin
  select raise(abort, 'EV001: UPDATE on events is refused: events are immutable');
end;

create trigger evstore_no_delete before delete on events
begin
  select raise(abort, 'EV001: DELETE on events is refused: events are immutable');
end;

-- REPLACE deletes without firing delete triggers, unless a pragma of the connection says otherwise. A statement inside a
-- trigger takes over the conflict clause of the statement outside: this table refuses every row, so the insert below
-- passes by under its own "or ignore", and aborts under the writer's "or replace".
create table evstore_never (
  never integer constraint "EV001: REPLACE on events is refused: events are immutable" check (never <> never)
) strict;

create trigger evstore_no_replace before insert on events
when exists (select 1 from events where id = new.id)
  or exists (select 1 from events where stream_id = new.stream_id and version = new.version)
  or exists (select 1 from events where global_position = new.global_position)
begin
  insert or ignore into evstore_never values (1);
end;
