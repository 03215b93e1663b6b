-- Returns the columns of relation $1 (oid) as a JSON array.
select coalesce(json_agg(attname order by attnum), '[]')
  from pg_attribute
 where attrelid = $1::oid and attnum > 0 and not attisdropped
