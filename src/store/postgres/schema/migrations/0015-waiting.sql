-- What waits is found however much was put aside and settled. Names are in the order of their bytes, so that the parts of a
-- projection stand beside each other whatever the language of the database.

create index evstore_parked_waiting_idx on public.evstore_parked (rebuild, projection collate "C", stream_id)
  where state = 'parked';

-- An import goes in by COPY.
drop function public.evstore_import(text[], uuid[], text[], integer[], text[], text[], text[], text[]);
