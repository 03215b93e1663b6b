-- Examines the first $3 events after $1 up to $2: position of the last, number of events, how many are above $4 bytes
-- and the first of them, how many have no correlation id and the first of them. Replaces escapes of other programs that
-- Postgres stores but cannot decode: see filter.ts.
select max(global_position), count(*), count(*) filter (where is_large), min(global_position) filter (where is_large),
       count(*) filter (where is_alone), min(global_position) filter (where is_alone)
  from (select global_position, octet_length(event_data::text) > $4 or octet_length(metadata::text) > $4 as is_large,
               (case when strpos(metadata::text, '\u') = 0 then metadata
                 else regexp_replace(replace(metadata::text, '\\', '\u005c'),
                   '\\u0000|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}',
                   '\\ufffd', 'g')::json end) ->> 'correlationId' is null as is_alone
          from public.events
         where global_position > $1 and global_position <= $2
         order by global_position
         limit $3) as slice
