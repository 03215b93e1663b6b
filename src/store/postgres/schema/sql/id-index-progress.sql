-- Says how far the index is that process $1 is making: phase, blocks done, blocks in all.
select phase, blocks_done, blocks_total from pg_stat_progress_create_index where pid = $1
