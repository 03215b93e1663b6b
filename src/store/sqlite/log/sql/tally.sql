-- Counts the events after ?1 up to ?2, and adds up the last 32 bits of their ids.
select count(*), coalesce(sum(('0x' || substr(id, -8)) ->> '$'), 0)
  from events
 where global_position > ?1 and global_position <= ?2 /* filter */
