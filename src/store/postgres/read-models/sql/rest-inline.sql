-- Makes appends leave the events of projection $1 to its runner while the lease with token $2 is held.
update public.evstore_projections
   set inline_rest_token = $2
 where name = $1
