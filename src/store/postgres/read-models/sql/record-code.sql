-- Records version $2 and hash $3 of the code that last asked to run projection $1, on each of its checkpoints.
update public.subscription_checkpoints
   set code_version = $2, code_hash = $3
 where (subscription_id = $1 or left(subscription_id, length($1) + 1) = $1 || '#')
   and (code_version, code_hash) is distinct from ($2::integer, $3::text)
