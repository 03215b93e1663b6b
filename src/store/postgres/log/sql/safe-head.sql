-- Returns the last position below which nothing can still appear; when nothing is visible beyond $1, the head.
select public.evstore_safe_head($1)
