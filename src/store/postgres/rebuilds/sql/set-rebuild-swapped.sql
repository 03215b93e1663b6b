-- Sets rebuild $1 to swapped. What it replaced had version $2, code hash $3, position $4, last event $5, audit $7 and
-- target $8, and is kept for $6 milliseconds.
update public.evstore_rebuilds
   set state = 'swapped', old_version = $2, old_code_hash = $3, old_position = $4, old_last_event_id = $5, audit = $7, old_target = $8,
       swapped_at = clock_timestamp(), keep_old_until = clock_timestamp() + $6 * interval '1 millisecond',
       updated_at = clock_timestamp()
 where id = $1
