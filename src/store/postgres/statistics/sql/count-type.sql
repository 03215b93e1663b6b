-- Counts the events of type $1, up to $2.
select count(*) from (select from public.events where event_type = $1 limit $2) found
