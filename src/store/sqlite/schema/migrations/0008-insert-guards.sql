-- What an INSERT of any program must keep: the versions of a stream have no holes. Positions rise already: AUTOINCREMENT
-- looks at the rows too.

create trigger evstore_versions after insert on events
when new.version > 1 and not exists (select 1 from events where stream_id = new.stream_id and version = new.version - 1)
begin
  select raise(abort, 'EV005: a version that does not follow the last one of its stream is refused');
end;
