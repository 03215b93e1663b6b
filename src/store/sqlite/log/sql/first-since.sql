-- Counts the events at or after time ?1 (six digits of a second), up to ?2 of them in the order of time, and returns
-- their lowest position. The expression is that of the index.
select count(*), min(global_position)
  from (
    select global_position
      from events
     where case
       when created_at glob '??????????T????????.??????Z' then created_at
       else strftime('%Y-%m-%dT%H:%M:%S', substr(created_at, 1, 19)
              || iif(created_at glob '*[-+][0-9][0-9]:[0-9][0-9]', substr(created_at, -6), ''))
         || '.' || substr(iif(created_at glob '*:[0-9][0-9].[0-9]*', substr(created_at, 21, length(created_at) - 20
              - iif(created_at glob '*[-+][0-9][0-9]:[0-9][0-9]', 6, 0) - iif(created_at glob '*[Zz]', 1, 0)), '')
              || '000000', 1, 6) || 'Z'
     end >= ?1
     limit ?2
  )
