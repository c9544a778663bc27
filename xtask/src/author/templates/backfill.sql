-- Purpose: {{purpose}}
-- Every batch commits by itself: no lock is held for long, and an interrupted run resumes where it stopped, because WHERE
-- leaves out the rows that are done.
-- migrate:up transaction:false
DO $backfill$
DECLARE
    changed bigint;
BEGIN
    LOOP
        UPDATE public.some_table
        SET new_column = old_column
        WHERE id = ANY (ARRAY(
            SELECT id
            FROM public.some_table
            WHERE new_column IS NULL AND old_column IS NOT NULL
            ORDER BY id
            LIMIT 5000
            FOR UPDATE
        ));
        GET DIAGNOSTICS changed = ROW_COUNT;
        COMMIT;
        EXIT WHEN changed = 0;
    END LOOP;
END
$backfill$;

-- migrate:down
-- The column itself goes with the migration that added it; until then its values do no harm.
SELECT 1;
