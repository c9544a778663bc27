-- Purpose: rename customers.company to legal_name without downtime (2 of 5: copy the old rows)
-- Batches of 1,000 by primary key, each committed on its own: no lock is held for long, and one NOTICE per batch tells
-- how far it is. COMMIT needs `transaction:false` and must be the only statement. Rows that are done are passed over,
-- so running it again after an interruption is safe. The trigger of 004 moves updated_at of every row that is copied.

-- migrate:up transaction:false lock_timeout:30s
DO $backfill$
DECLARE
    batch_size constant bigint := 1000;
    done_to bigint := 0;
    batch_end bigint;
    changed bigint;
    total bigint := 0;
BEGIN
    LOOP
        SELECT max(id) INTO batch_end
        FROM (SELECT id FROM core.customers WHERE id > done_to ORDER BY id LIMIT batch_size) AS batch;
        EXIT WHEN batch_end IS NULL;

        UPDATE core.customers
        SET legal_name = company
        WHERE id > done_to AND id <= batch_end AND legal_name IS NULL;

        GET DIAGNOSTICS changed = ROW_COUNT;
        COMMIT;

        total := total + changed;
        done_to := batch_end;
        RAISE NOTICE 'customers up to id %: % copied', done_to, total;
    END LOOP;
END;
$backfill$;

-- migrate:down
-- The copies harm nobody, and the down of 009 drops them with their column.
DO $nothing$
BEGIN
    RAISE NOTICE 'nothing to take back: legal_name keeps its copies';
END;
$nothing$;
