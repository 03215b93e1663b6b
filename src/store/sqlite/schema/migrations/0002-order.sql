-- Global order: there is one writer at a time and AUTOINCREMENT never gives a position twice, so the order of positions
-- is the order of commits. What is left to refuse is a position chosen by the writer that lies behind the head.

create trigger evstore_order after insert on events
when new.global_position < (select max(global_position) from events)
begin
  select raise(abort, 'EV004: a position behind the head is refused: the store assigns positions');
end;
