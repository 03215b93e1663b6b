-- Into how many parts the work of a projection is divided: 1 has the checkpoint NAME, more have NAME#1/n … NAME#n/n.

alter table evstore_projections add column parts integer not null default 1 check (parts between 1 and 256);
