-- How many events a cursor was given, and a sum over their ids, so that verify can tell later whether one was skipped.
-- audit: {"filter","after","events","idSum"}: everything after the position "after" that the filter lets through. Null
-- where nothing is known, as after a move by hand. The filter is JSON in a text, {"category"?,"types"?}.

alter table public.subscription_checkpoints add column audit json;

-- Of the tables beside the live ones: those being built, or those kept after a swap.
alter table public.evstore_rebuilds add column audit json;
