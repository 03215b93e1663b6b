-- Where the live read model of a projection is whose rows are not in this database: what its own code calls it.

alter table public.evstore_projections add column target text;
