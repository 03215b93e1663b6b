-- Moves the sequence of positions to the end of the log when it is behind. Returns the position; no row when nothing was
-- wrong. Parameters: none.
update sqlite_sequence
   set seq = (select max(global_position) from events)
 where name = 'events' and seq < (select max(global_position) from events)
returning seq
