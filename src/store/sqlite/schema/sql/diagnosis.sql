-- Returns SQLite's version, journal mode, synchronous, bytes and free bytes of the file, bytes a page. Parameters: none.
select sqlite_version(), journal_mode, synchronous, page_count * page_size, freelist_count * page_size, page_size
  from pragma_journal_mode, pragma_synchronous, pragma_page_count, pragma_page_size, pragma_freelist_count
