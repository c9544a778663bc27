-- What the questions behind it look at: objects of people. Names come out qualified, for the search path is empty.
WITH
-- What an extension brought along is said by the extension's name and version.
extension_member AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
space AS MATERIALIZED (
    SELECT oid, quote_ident(nspname) AS name, nspowner, nspacl
    FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
),
-- The tables in which the migrator keeps its history, with their indexes and sequences.
history AS MATERIALIZED (
    SELECT oid FROM pg_class WHERE oid IN (to_regclass({state}), to_regclass({events}))
    UNION
    SELECT d.objid FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid IN (to_regclass({state}), to_regclass({events})) AND d.deptype IN ('a', 'i')
),
relation AS MATERIALIZED (
    SELECT c.*, s.name || '.' || quote_ident(c.relname) AS object
    FROM pg_class c JOIN space s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S')
        AND c.oid NOT IN (SELECT oid FROM history)
        AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
),
routine AS MATERIALIZED (
    SELECT p.*, s.name || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS object,
        CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
    WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM extension_member)
),
-- Without those that tables and other types bring along.
type AS MATERIALIZED (
    SELECT t.*, s.name || '.' || quote_ident(t.typname) AS object
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    WHERE ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extension_member)
        AND t.typtype <> 'm'
        AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
        AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
),
-- Owners are called OWNER: who owns a database's objects differs from place to place.
permission AS MATERIALIZED (
    SELECT oid AS id, object, '' AS part, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS class, relowner AS owner, relacl AS acl
    FROM relation WHERE relkind <> 'c'
    UNION ALL
    SELECT r.oid, r.object, quote_ident(a.attname), 'c', r.relowner, a.attacl
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT oid, object, '', 'f', proowner, proacl FROM routine
    UNION ALL
    SELECT oid, object, '', 'T', typowner, typacl FROM type
    UNION ALL
    SELECT oid, name, '', 'n', nspowner, nspacl FROM space
    WHERE ('pg_namespace'::regclass, oid) NOT IN (SELECT classid, objid FROM extension_member)
    UNION ALL
    SELECT oid, quote_ident(fdwname), '', 'F', fdwowner, fdwacl FROM pg_foreign_data_wrapper
    WHERE ('pg_foreign_data_wrapper'::regclass, oid) NOT IN (SELECT classid, objid FROM extension_member)
    UNION ALL
    SELECT oid, quote_ident(srvname), '', 'S', srvowner, srvacl FROM pg_foreign_server
),
granted AS (
    SELECT p.object, p.part, p.class, which.given,
        string_agg(entry.grantee || ': ' || entry.privileges, '; ' ORDER BY entry.grantee COLLATE "C") AS definition
    FROM permission p
    CROSS JOIN LATERAL (VALUES (true, coalesce(p.acl, acldefault(p.class, p.owner))), (false, acldefault(p.class, p.owner))) which (given, acl)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' WHEN x.grantee = p.owner THEN 'OWNER' ELSE x.grantee::regrole::text END AS grantee,
            string_agg(DISTINCT (x.privilege_type || CASE WHEN x.is_grantable AND x.grantee <> p.owner THEN ' WITH GRANT OPTION' ELSE '' END) COLLATE "C", ', ') AS privileges
        FROM aclexplode(which.acl) x GROUP BY 1
    ) entry
    WHERE p.acl IS NOT NULL
    GROUP BY p.object, p.part, p.class, p.id, which.given
)
