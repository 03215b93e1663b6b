-- Moves checkpoint ?1 from ?4 to ?5 with last event ?6, under token ?2 and generation ?3. Adds ?8 events with id sum ?9
-- under filter ?7 (null ends it) to its audit, unless it stays where it is; ?10 ends it. Returns a row when it was still there.
update subscription_checkpoints
   set last_position = ?5, last_event_id = coalesce(?6, last_event_id), updated_at = strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z',
       audit = case
         when ?10 then null
         when ?4 = ?5 then audit
         when audit ->> 'filter' = ?7 then json_object('filter', ?7, 'after', audit ->> 'after',
           'events', (audit ->> 'events') + cast(?8 as integer), 'idSum', (audit ->> 'idSum') + cast(?9 as integer))
         when ?7 is not null then json_object('filter', ?7, 'after', cast(?4 as integer),
           'events', cast(?8 as integer), 'idSum', cast(?9 as integer))
       end
 where subscription_id = ?1 and token = ?2 and generation = ?3 and last_position = ?4 and owner is not null
returning subscription_id
