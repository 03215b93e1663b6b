-- The position of each subscription, and who holds its lease. A foreign program needs only the first three columns.

-- audit: how many events the cursor was given and the sum of their ids, so that verify can tell later whether one was
-- skipped: {"filter","after","events","idSum"}, everything after the position "after" that the filter lets through. Null
-- where nothing is known. The filter is JSON in a text, {"category"?,"types"?}.
-- owner_process: tells others on the same host whether the owner still runs; null where that is unknown.
-- code_version, code_hash: the code that last asked to run the subscription. If it is not the code that made its rows, a
-- rebuild is due.
create table subscription_checkpoints (
  subscription_id text not null primary key,
  last_position integer not null default 0,
  updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  generation integer not null default 0,
  last_event_id text,
  owner text,
  owner_process text,
  token integer not null default 0,
  lease_expires_at text,
  rate real,
  last_error text,
  audit text,
  code_version integer,
  code_hash text
) strict;

-- Every change of a checkpoint by hand. Moves by a runner, a rebuild, a swap or a rollback are not in it.
-- to_position: null where the checkpoint was deleted.
-- events: those between the two positions that the subscription handles; null where it is unknown which those are.
create table evstore_checkpoint_changes (
  id integer primary key autoincrement,
  subscription_id text not null,
  changed_at text not null default (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  from_position integer not null,
  to_position integer,
  events integer,
  estimated integer not null,
  changed_by text not null,
  command text not null,
  reason text
) strict;
