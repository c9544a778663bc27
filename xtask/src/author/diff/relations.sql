-- The properties of relations.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS object, c.relkind::text AS relkind, c.relpersistence::text AS persistence,
    c.relreplident::text AS replica, c.relrowsecurity AS secured, c.relforcerowsecurity AS forced,
    coalesce((SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(c.reloptions
        || (SELECT array_agg('toast.' || o) FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid)) o), '') AS options,
    coalesce((SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid), '') AS parents,
    c.relispartition AS is_partition, coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS bound, coalesce(pg_get_partkeydef(c.oid), '') AS partitioned,
    CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) ELSE '' END AS of_type,
    coalesce((SELECT quote_ident(m.amname) FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'), '') AS method,
    coalesce((SELECT quote_ident(s.srvname) FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid), '') AS server,
    coalesce((SELECT q.s FROM (SELECT concat_ws(' ', 'AS', format_type(s.seqtypid, NULL), 'START WITH', s.seqstart, 'INCREMENT BY', s.seqincrement, 'MINVALUE', s.seqmin,
        'MAXVALUE', s.seqmax, 'CACHE', s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS s FROM pg_sequence s WHERE s.seqrelid = c.oid) q), '') AS sequence,
    coalesce((SELECT d.refobjid::regclass || '.' || quote_ident(a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND c.relkind = 'S' LIMIT 1), '') AS owned_by,
    EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i' AND c.relkind = 'S') AS is_identity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
