-- Examines the first ?3 events after ?1 up to ?2: position of the last, number of events, how many are above ?4 bytes
-- and the first of them, how many have no correlation id and the first of them.
select max(global_position), count(*), count(*) filter (where is_large), min(global_position) filter (where is_large),
       count(*) filter (where is_alone), min(global_position) filter (where is_alone)
  from (select global_position, octet_length(event_data) > ?4 or octet_length(metadata) > ?4 as is_large,
               json_patch('{}', metadata) ->> 'correlationId' is null as is_alone
          from events
         where global_position > ?1 and global_position <= ?2
         order by global_position
         limit ?3) as slice
