-- Renames projection $1 to $2, with code hash $3 and tables $4.
update public.evstore_projections
   set name = $2, code_hash = $3, tables = $4
 where name = $1
