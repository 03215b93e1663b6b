-- Locks the streams $1. They are sorted, so that two transactions that lock several cannot wait for each other.
select public.evstore_lock_stream(s) from unnest($1::text[]) as s
