-- A book is lent to one reader at a time.

-- migrate:up transaction:false
CREATE UNIQUE INDEX CONCURRENTLY loans_open_book_id_key ON loans (book_id) WHERE returned_on IS NULL;

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY loans_open_book_id_key;
