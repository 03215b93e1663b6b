-- Returns the last visible position; 0 for an empty log. Parameters: none.
select coalesce(max(global_position), 0) from public.events
