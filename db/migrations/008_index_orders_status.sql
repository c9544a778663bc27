-- Purpose: the list of open orders no longer reads the whole table
-- CONCURRENTLY keeps the table writable, needs `transaction:false`, and stays the only statement of its block.

-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY orders_status_ordered_at_idx ON core.orders (status, ordered_at);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY core.orders_status_ordered_at_idx;
