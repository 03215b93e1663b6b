-- Where each subscription stands, and who holds it. A foreign program needs only the first three columns.

-- Fencing tokens rise for ever, also when a checkpoint is deleted and made again.
create sequence public.evstore_token_seq cache 1;

create table public.subscription_checkpoints (
  subscription_id text not null,
  last_position bigint not null default 0,
  updated_at timestamptz not null default now(),
  generation bigint not null default 0,
  last_event_id uuid,
  owner text,
  token bigint not null default 0,
  lease_expires_at timestamptz,
  rate double precision,
  last_error text,
  constraint subscription_checkpoints_pkey primary key (subscription_id)
);
