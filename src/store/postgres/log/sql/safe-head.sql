-- Last position below which nothing can still appear. When nothing lies beyond $1, the head instead.
select public.evstore_safe_head($1)
