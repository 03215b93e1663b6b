-- What waits is found however much was put aside and settled; the parts of a projection stand beside each other. No function
-- is dropped, since there are none.

create index evstore_parked_waiting_idx on evstore_parked (rebuild, projection, stream_id)
  where state = 'parked';
