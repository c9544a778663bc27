-- Every object of people, by its row in the catalogs, with the name that its fact has. `note`: the schema of an index, the
-- definition of a constraint, what CREATE OR REPLACE cannot change of a routine.
WITH member AS MATERIALIZED (
    SELECT d.classid, d.objid, quote_ident(e.extname) AS extension
    FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
),
space AS MATERIALIZED (
    SELECT oid, quote_ident(nspname) AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
),
relation AS MATERIALIZED (
    SELECT c.*, s.name AS space, s.name || '.' || quote_ident(c.relname) AS object,
        CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized-view' WHEN 'f' THEN 'foreign-table' WHEN 'c' THEN 'type' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind
    FROM pg_class c JOIN space s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c', 'S') AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
),
type AS MATERIALIZED (
    SELECT t.*, s.name || '.' || quote_ident(t.typname) AS object, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS kind
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    WHERE t.typtype IN ('b', 'd', 'e', 'r') AND t.typrelid = 0 AND NOT EXISTS (SELECT FROM pg_type element WHERE element.typarray = t.oid)
        AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)
)
SELECT 'pg_class'::regclass::oid AS class, oid, 0 AS sub, object, kind, '' AS part, relkind::text AS note FROM relation
UNION ALL
SELECT 'pg_class'::regclass::oid, r.oid, a.attnum, r.object, 'column', quote_ident(a.attname), ''
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'
UNION ALL
SELECT 'pg_type'::regclass::oid, t.oid, 0, r.object, r.kind, '', ''
FROM relation r JOIN pg_type t ON t.typrelid = r.oid
UNION ALL
SELECT 'pg_type'::regclass::oid, t.typarray, 0, r.object, r.kind, '', ''
FROM relation r JOIN pg_type t ON t.typrelid = r.oid WHERE t.typarray <> 0
UNION ALL
-- Without the expression of a generated column there is no column.
SELECT 'pg_attrdef'::regclass::oid, d.oid, 0, r.object, CASE WHEN a.attgenerated = '' THEN 'default' ELSE 'column' END, quote_ident(a.attname), ''
FROM pg_attrdef d JOIN relation r ON r.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
UNION ALL
SELECT 'pg_constraint'::regclass::oid, c.oid, 0, coalesce(r.object, t.object), 'constraint', quote_ident(c.conname), pg_get_constraintdef(c.oid)
FROM pg_constraint c LEFT JOIN relation r ON r.oid = c.conrelid LEFT JOIN type t ON t.oid = c.contypid
WHERE c.contype <> 't' AND coalesce(r.object, t.object) IS NOT NULL
UNION ALL
SELECT 'pg_class'::regclass::oid, c.oid, 0, r.object, CASE WHEN k.oid IS NULL THEN 'index' ELSE 'constraint' END, quote_ident(coalesce(k.conname, c.relname)),
    CASE WHEN k.oid IS NULL THEN r.space ELSE pg_get_constraintdef(k.oid) END
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN relation r ON r.oid = i.indrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
UNION ALL
SELECT 'pg_trigger'::regclass::oid, t.oid, 0, r.object, CASE WHEN t.tgisinternal THEN 'constraint' ELSE 'trigger' END, quote_ident(coalesce(k.conname, t.tgname)),
    CASE WHEN t.tgisinternal THEN pg_get_constraintdef(k.oid) ELSE '' END
FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid LEFT JOIN pg_constraint k ON t.tgisinternal AND k.oid = t.tgconstraint AND k.conrelid = t.tgrelid
WHERE NOT t.tgisinternal OR k.oid IS NOT NULL
UNION ALL
SELECT 'pg_rewrite'::regclass::oid, w.oid, 0, r.object, CASE WHEN w.rulename = '_RETURN' THEN r.kind ELSE 'rule' END,
    CASE WHEN w.rulename = '_RETURN' THEN '' ELSE quote_ident(w.rulename) END, ''
FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class
UNION ALL
SELECT 'pg_policy'::regclass::oid, p.oid, 0, r.object, 'policy', quote_ident(p.polname), '' FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
UNION ALL
SELECT 'pg_statistic_ext'::regclass::oid, s.oid, 0, r.object, 'statistics', s.stxnamespace::regnamespace || '.' || quote_ident(s.stxname), ''
FROM pg_statistic_ext s JOIN relation r ON r.oid = s.stxrelid
UNION ALL
SELECT 'pg_proc'::regclass::oid, p.oid, 0, s.name || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END, '', concat_ws(' ', p.prokind, p.pronargdefaults, pg_get_function_result(p.oid))
FROM pg_proc p JOIN space s ON s.oid = p.pronamespace WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT 'pg_type'::regclass::oid, x.oid, 0, t.object, t.kind, '', t.typtype::text FROM type t CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) x (oid) WHERE x.oid <> 0
UNION ALL
SELECT 'pg_type'::regclass::oid, (to_jsonb(g) ->> 'rngmultitypid')::oid, 0, t.object, t.kind, '', 'r'
FROM type t JOIN pg_range g ON g.rngtypid = t.oid WHERE to_jsonb(g) ? 'rngmultitypid'
UNION ALL
SELECT 'pg_namespace'::regclass::oid, oid, 0, name, 'schema', '', '' FROM space
UNION ALL
SELECT 'pg_extension'::regclass::oid, oid, 0, quote_ident(extname), 'extension', '', '' FROM pg_extension
UNION ALL
SELECT classid, objid, 0, extension, 'extension', '', '' FROM member
UNION ALL
SELECT 'pg_operator'::regclass::oid, o.oid, 0, o.oid::regoperator::text, 'operator', '', ''
FROM pg_operator o WHERE o.oid >= 16384 AND ('pg_operator'::regclass, o.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT 'pg_cast'::regclass::oid, c.oid, 0, format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL), 'cast', '', ''
FROM pg_cast c WHERE c.oid >= 16384 AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT 'pg_transform'::regclass::oid, t.oid, 0, format_type(t.trftype, NULL) || ' FOR ' || quote_ident(l.lanname), 'transform', '', ''
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE ('pg_transform'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT 'pg_user_mapping'::regclass::oid, umid, 0, quote_ident(srvname), 'user-mapping', CASE umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(usename) END, ''
FROM pg_user_mappings
UNION ALL
-- What is made of nothing but what every database has is in no row of pg_depend.
SELECT d.classid, d.objid, 0, i.identity, CASE i.type WHEN 'server' THEN 'foreign-server' ELSE replace(i.type, ' ', '-') END, '', ''
FROM (
    (SELECT classid, objid FROM pg_depend
    WHERE objid >= 16384 AND deptype <> 'e' AND classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass,
        'pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_statistic_ext'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_extension'::regclass,
        'pg_operator'::regclass, 'pg_cast'::regclass, 'pg_transform'::regclass, 'pg_user_mapping'::regclass)
    UNION SELECT 'pg_am'::regclass, oid FROM pg_am WHERE oid >= 16384
    UNION SELECT 'pg_collation'::regclass, oid FROM pg_collation WHERE oid >= 16384
    UNION SELECT 'pg_conversion'::regclass, oid FROM pg_conversion WHERE oid >= 16384
    UNION SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
    UNION SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
    UNION SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
    UNION SELECT 'pg_language'::regclass, oid FROM pg_language WHERE oid >= 16384
    UNION SELECT 'pg_publication'::regclass, oid FROM pg_publication
    UNION SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config WHERE oid >= 16384
    UNION SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict WHERE oid >= 16384
    UNION SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser WHERE oid >= 16384
    UNION SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template WHERE oid >= 16384)
    EXCEPT SELECT classid, objid FROM member
) d
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i WHERE i.identity IS NOT NULL
