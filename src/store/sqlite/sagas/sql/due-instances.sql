-- Lists up to ?4 instances that are due and not held, of saga ?1, version ?2 and definition ?3: saga, instance, and since when
-- they are due, the longest due first. In the order of the index, which is read no further.
select saga, instance, due_at
  from evstore_sagas indexed by evstore_sagas_due_idx
 where saga = ?1 and saga_version = ?2 and definition = ?3
   and due_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'
   and (owner is null or claim_expires_at is null
        or claim_expires_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
 order by due_at
 limit ?4
