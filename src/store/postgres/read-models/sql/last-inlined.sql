-- Returns the position of the last event that appends have put into the live rows of projection $1; 0 when none is
-- marked.
select coalesce(max(global_position), 0) from public.evstore_inlined where projection = $1 and rebuild = 0
