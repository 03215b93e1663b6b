-- Which code last asked to run a subscription: another than the one that made its rows shows that a rebuild is due.

alter table public.subscription_checkpoints add column code_version integer;
alter table public.subscription_checkpoints add column code_hash text;
