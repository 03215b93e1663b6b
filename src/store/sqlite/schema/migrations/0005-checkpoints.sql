-- Where each subscription stands, and who holds it. A foreign program needs only the first three columns.

create table subscription_checkpoints (
  subscription_id text not null primary key,
  last_position integer not null default 0,
  updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  generation integer not null default 0,
  last_event_id text,
  owner text,
  token integer not null default 0,
  lease_expires_at text,
  rate real,
  last_error text
) strict;
