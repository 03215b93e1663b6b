-- Counts instances by saga; shared/sagas.ts fills in the conditions. Parameters: those of the conditions.
select saga, count(*)
  from evstore_sagas
 where /* conditions */ true
 group by saga
 order by /* sort */ saga
