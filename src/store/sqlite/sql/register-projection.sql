-- Name ?1, version ?2, code hash ?3, tables ?4. A row when it is new; none when it was there.
insert into evstore_projections (name, version, code_hash, tables)
values (?1, ?2, ?3, ?4)
on conflict (name) do nothing
returning name
