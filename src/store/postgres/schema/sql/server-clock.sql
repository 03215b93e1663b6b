-- Returns the time of the server, in milliseconds since 1970. Parameters: none.
select round(extract(epoch from clock_timestamp()) * 1000)::bigint
