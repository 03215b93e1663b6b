-- Records version ?2 and hash ?3 of the code that last asked to run projection ?1, on each of its checkpoints.
update subscription_checkpoints
   set code_version = ?2, code_hash = ?3
 where (subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#')
   and (code_version is not ?2 or code_hash is not ?3)
