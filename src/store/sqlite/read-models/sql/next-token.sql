-- Draws the next fencing token: it rises for ever, also when a checkpoint is deleted and made again.
update evstore_meta set last_token = last_token + 1 returning last_token
