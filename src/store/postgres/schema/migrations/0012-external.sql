-- Where the read model of a projection is whose rows are not in this database, as its own code knows it: the live one, the
-- one a rebuild fills, and the one that a swap replaced.

alter table public.evstore_projections add column target text;
alter table public.evstore_rebuilds add column target text;
alter table public.evstore_rebuilds add column old_target text;
