-- Sets what is live after a swap: name ?1, version ?2, code hash ?3, tables ?4, target ?5.
insert into evstore_projections (name, version, code_hash, tables, target)
values (?1, ?2, ?3, ?4, ?5)
on conflict (name) do update set version = excluded.version, code_hash = excluded.code_hash, tables = excluded.tables,
  target = excluded.target
