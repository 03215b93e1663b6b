-- Sets rebuild ?1 to state ?2 with tables ?3.
update evstore_rebuilds
   set state = ?2, tables = ?3, updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
 where id = ?1
