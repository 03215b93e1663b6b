-- Counts the events of type ?1, up to ?2.
select count(*) from (select 1 from events where event_type = ?1 limit ?2)
