-- Draws the next fencing token. Tokens always rise, also when a checkpoint is deleted and created again. Parameters:
-- none.
update evstore_meta set last_token = last_token + 1 returning last_token
