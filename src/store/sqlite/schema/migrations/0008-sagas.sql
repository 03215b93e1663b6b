-- One row for each instance of a saga, written in the transaction of its facts. The streams are the truth: the rows can be
-- rebuilt from them.

-- definition: tells definitions of one version apart.
-- stream_version: of the last fact that the row contains.
-- wait_key: under which an event finds the instance; null while it waits for none.
-- since: when it came to its step and phase. moved_at: when its last fact was recorded.
-- due_at: when a process has to act on it; null for never.
-- owner, owner_process, claim_expires_at: the process that works on it.
create table evstore_sagas (
  saga text not null,
  instance text not null,
  saga_version integer not null,
  definition text not null,
  stream_version integer not null,
  phase text not null,
  step text,
  attempt integer not null,
  trigger_position integer not null,
  correlation_id text not null,
  error text,
  reason text,
  wait_key text,
  started_at text not null,
  since text not null,
  moved_at text not null,
  due_at text,
  owner text,
  owner_process text,
  claim_expires_at text,
  constraint evstore_sagas_pkey primary key (saga, instance),
  constraint evstore_sagas_wait_key_check check (length(cast(wait_key as blob)) <= 1024)
) strict, without rowid;

create index evstore_sagas_due_idx on evstore_sagas (saga, saga_version, definition, due_at)
  where due_at is not null;
create index evstore_sagas_wait_idx on evstore_sagas (saga, wait_key) where wait_key is not null;
create index evstore_sagas_phase_idx on evstore_sagas (saga, phase, moved_at);
create index evstore_sagas_owner_idx on evstore_sagas (owner) where owner is not null;
