-- Counts the events that match, up to ?1 of them, and returns their lowest position. Reads by the index of times.
select count(*), min(global_position)
  from (select global_position from events where true /* filter */ limit ?1)
