-- Functions, operators, types and relations of the names that the questions to the catalogs use.
CREATE SCHEMA evil;
DO $$
DECLARE one record;
BEGIN
    -- Every function of pg_catalog that could be meant by its name alone; it answers with nonsense, or fails.
    FOR one IN
        SELECT proname, pg_get_function_identity_arguments(oid) AS arguments FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0 AND NOT proretset AND proargmodes IS NULL
            AND NOT ('internal'::regtype = ANY (proargtypes)) AND NOT ('cstring'::regtype = ANY (proargtypes))
            AND NOT EXISTS (SELECT FROM unnest(proargtypes) a JOIN pg_type t ON t.oid = a WHERE t.typtype = 'p')
            AND (proname ~ '^(quote_|pg_get_|pg_identify|format_type|to_reg|strpos|substr|split_part|concat|coalesce|current_database|acldefault)')
    LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE sql AS $f$ SELECT ''planted'' $f$', one.proname, one.arguments);
    END LOOP;
    FOR one IN
        SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r FROM pg_operator
        WHERE oprname IN ('=', '<>', '>', '<', '||', '>=', '!~', '-', '+') AND oprleft <> 0
            AND oprleft::regtype::text IN ('oid', '"char"', 'name', 'smallint', 'regclass')
            AND oprright::regtype::text IN ('oid', '"char"', 'name', 'smallint', 'regclass')
    LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION evil.bad(%s, %s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE ''planted''; END $f$', one.l, one.r);
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.bad)', one.oprname, one.l, one.r);
    END LOOP;
    FOR one IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') LOOP
        EXECUTE format('CREATE TABLE evil.%I ()', one.relname);
    END LOOP;
    FOR one IN SELECT unnest(ARRAY['text', 'regclass', 'regnamespace', 'regrole', 'name', 'oid', 'char']) AS name LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.int4 CHECK (false)', one.name);
    END LOOP;
END $$;
