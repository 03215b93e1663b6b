-- The position of each subscription, and who holds its lease. A foreign program needs only the first three columns.

-- Fencing tokens always rise, also when a checkpoint is deleted and created again.
create sequence public.evstore_token_seq cache 1;

-- audit: how many events the cursor was given and the sum of their ids, so that verify can tell later whether one was
-- skipped: {"filter","after","events","idSum"}, everything after the position "after" that the filter lets through. Null
-- where nothing is known. The filter is JSON in a text, {"category"?,"types"?}.
-- owner_process: tells others on the same host whether the owner still runs; null where that is unknown.
-- code_version, code_hash: the code that last asked to run the subscription. If it is not the code that made its rows, a
-- rebuild is due.
create table public.subscription_checkpoints (
  subscription_id text not null,
  last_position bigint not null default 0,
  updated_at timestamptz not null default now(),
  generation bigint not null default 0,
  last_event_id uuid,
  owner text,
  owner_process text,
  token bigint not null default 0,
  lease_expires_at timestamptz,
  rate double precision,
  last_error text,
  audit json,
  code_version integer,
  code_hash text,
  constraint subscription_checkpoints_pkey primary key (subscription_id)
);

-- Every change of a checkpoint by hand. Moves by a runner, a rebuild, a swap or a rollback are not in it.
-- to_position: null where the checkpoint was deleted.
-- events: those between the two positions that the subscription handles; null where it is unknown which those are.
create table public.evstore_checkpoint_changes (
  id bigint generated always as identity,
  subscription_id text not null,
  changed_at timestamptz not null default clock_timestamp(),
  from_position bigint not null,
  to_position bigint,
  events bigint,
  estimated boolean not null,
  changed_by text not null,
  command text not null,
  reason text,
  constraint evstore_checkpoint_changes_pkey primary key (id)
);
