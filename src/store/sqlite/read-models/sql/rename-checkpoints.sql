-- Renames checkpoint ?1, or those of its parts, to ?2. Their generation rises, and the code that asked to run them is
-- unknown.
update subscription_checkpoints
   set subscription_id = ?2 || substr(subscription_id, length(?1) + 1), generation = generation + 1, code_version = null,
       code_hash = null
 where subscription_id = ?1 or substr(subscription_id, 1, length(?1) + 1) = ?1 || '#'
