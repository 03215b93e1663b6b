-- Returns the 16-bit number of this store. Parameters: none.
select tag from public.evstore_meta
