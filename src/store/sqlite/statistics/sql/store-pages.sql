-- Returns the bytes of the whole store.
select page_count * page_size from pragma_page_count(), pragma_page_size()
