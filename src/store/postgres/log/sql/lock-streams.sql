-- Locks the streams $1, sorted, so that two who lock several cannot wait for each other.
select public.evstore_lock_stream(s) from unnest($1::text[]) as s
