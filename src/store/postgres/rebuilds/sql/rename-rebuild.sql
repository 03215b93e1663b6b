-- Gives rebuild $1 to projection $2, with tables $3, code hash $4 and old code hash $5.
update public.evstore_rebuilds
   set projection = $2, tables = $3, code_hash = $4, old_code_hash = $5
 where id = $1
