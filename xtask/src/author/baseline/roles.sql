-- Roles belong to the server: they are created where they are missing, and never changed.
DO $roles$
DECLARE
    missing text;
BEGIN
    FOREACH missing IN ARRAY ARRAY[{roles}] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = missing) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', missing);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    RAISE NOTICE 'role % was created meanwhile', missing;
            END;
        END IF;
    END LOOP;
END;
$roles$;
