-- Plants, in the schema {schema}, an operator or a function of every name and type that statements of ours could mean, types and
-- relations of the catalog's names too. Each says in the server's log that it was called: also in a read-only or failed transaction.
-- {words}: every word of the engine's sources, as an array of text.
-- What was planted before must not be called by this script.
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS {schema};
GRANT USAGE ON SCHEMA {schema} TO PUBLIC;

CREATE FUNCTION {schema}.planted(what pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql AS
$$ BEGIN RAISE LOG 'planted: % was called', what; RETURN true; END $$;

DO $do$
DECLARE
    types pg_catalog.text[] := '{bool,"\"char\"",name,int2,int4,int8,float4,float8,numeric,oid,text,varchar,bpchar,bytea,timestamptz,timestamp,interval,jsonb,regclass,text[],name[],"\"char\"[]"}';
    operators pg_catalog.text[] := '{=,<>,<,>,<=,>=,+,-,*,/,||,~,!~,~~,!~~,->>}';
    l pg_catalog.text; r pg_catalog.text; o pg_catalog.text; f pg_catalog.text;
    made pg_catalog.int4 := 0;
BEGIN
    FOREACH l IN ARRAY types LOOP
        FOREACH r IN ARRAY types LOOP
            FOREACH o IN ARRAY operators LOOP
                -- What is compared is a truth, the rest keeps its type.
                f := CASE WHEN o = ANY ('{=,<>,<,>,<=,>=,~,!~,~~,!~~}') THEN 'truth' WHEN o = ANY ('{||,->>}') THEN 'words' ELSE 'same' END;
                IF to_regprocedure(format('{schema}.%s(pg_catalog.%s, pg_catalog.%s)', f, l, r)) IS NULL THEN
                    EXECUTE format('CREATE FUNCTION {schema}.%s(pg_catalog.%s, pg_catalog.%s) RETURNS pg_catalog.%s LANGUAGE plpgsql AS %L', f, l, r,
                        CASE f WHEN 'truth' THEN 'bool' WHEN 'words' THEN 'text' ELSE l END,
                        format('BEGIN RAISE LOG %L; RETURN NULL; END', 'planted: an operator on ' || l || ' and ' || r || ' was called'));
                END IF;
                EXECUTE format('CREATE OPERATOR {schema}.%s (LEFTARG = pg_catalog.%s, RIGHTARG = pg_catalog.%s, FUNCTION = {schema}.%s)', o, l, r, f);
                made := made + 1;
            END LOOP;
        END LOOP;
    END LOOP;
    IF made < 5000 THEN RAISE EXCEPTION 'only % operators', made; END IF;
END $do$;

DO $do$
DECLARE
    p pg_catalog.record;
    made pg_catalog.int4 := 0;
BEGIN
    FOR p IN
        SELECT DISTINCT proname AS name, CASE WHEN form = 0 THEN pg_get_function_identity_arguments(oid) WHEN form = 1 THEN ''
            WHEN form = 2 THEN 'anyelement' ELSE 'VARIADIC pg_catalog.text[]' END AS arguments
        FROM pg_proc, generate_series(0, 3) form
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ({words}::pg_catalog.text[])
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION {schema}.%I(%s) RETURNS pg_catalog.text LANGUAGE plpgsql AS %L', p.name, p.arguments,
                format('BEGIN RAISE LOG %L; RETURN NULL; END', 'planted: the function ' || p.name || ' was called'));
            made := made + 1;
        EXCEPTION WHEN OTHERS THEN
            -- Arguments that only C can have, or the same ones twice.
        END;
    END LOOP;
    IF made < 200 THEN RAISE EXCEPTION 'only % functions', made; END IF;
    FOR p IN
        SELECT typname AS name FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typelem = 0
            AND typname = ANY ({words}::pg_catalog.text[])
    LOOP
        EXECUTE format('CREATE DOMAIN {schema}.%I AS pg_catalog.%I CHECK ({schema}.planted(%L))', p.name, p.name, 'the type ' || p.name);
    END LOOP;
    FOR p IN
        SELECT relname AS name, (SELECT string_agg(format('%I', attname), ', ') FROM pg_attribute WHERE attrelid = pg_class.oid
            AND attnum > 0 AND NOT attisdropped AND atttypid <> 'anyarray'::regtype) AS columns FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
            AND relname = ANY ({words}::pg_catalog.text[])
    LOOP
        BEGIN
            EXECUTE format('CREATE VIEW {schema}.%I AS SELECT %s FROM pg_catalog.%I WHERE {schema}.planted(%L)', p.name, p.columns, p.name, 'the relation ' || p.name);
        EXCEPTION WHEN duplicate_object OR invalid_table_definition THEN
            -- A type has that name already, or a column is of a type that no view may have.
        END;
    END LOOP;
END $do$;
