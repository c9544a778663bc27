SELECT name AS object, 'schema' AS kind, '' AS part, '' AS definition FROM space
WHERE ('pg_namespace'::regclass, oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT quote_ident(e.extname), 'extension', '', 'VERSION ' || e.extversion || ' SCHEMA ' || e.extnamespace::regnamespace FROM pg_extension e
UNION ALL
SELECT quote_ident(t.evtname), 'event-trigger', '', concat_ws(' ', 'ON', t.evtevent,
    'WHEN TAG IN (' || (SELECT string_agg(x, ', ' ORDER BY x COLLATE "C") FROM unnest(t.evttags) x) || ')', 'EXECUTE', t.evtfoid::regprocedure,
    CASE t.evtenabled WHEN 'D' THEN 'DISABLED' WHEN 'A' THEN 'ENABLED ALWAYS' WHEN 'R' THEN 'ENABLED REPLICA' WHEN 'O' THEN NULL ELSE 'ENABLED ' || t.evtenabled::text END)
FROM pg_event_trigger t WHERE ('pg_event_trigger'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT quote_ident(p.pubname), 'publication', '', concat_ws(' ', CASE WHEN p.puballtables THEN 'ALL TABLES' END,
    CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
    CASE WHEN p.pubviaroot THEN 'VIA ROOT' END, 'GENERATED COLUMNS ' || (to_jsonb(p) ->> 'pubgencols'))
FROM pg_publication p
UNION ALL
-- Never the connection string, which holds a password.
SELECT quote_ident(s.subname), 'subscription', '', (SELECT string_agg(quote_ident(x), ', ' ORDER BY x COLLATE "C") FROM unnest(s.subpublications) x)
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT quote_ident(f.fdwname), 'foreign-data-wrapper', '', concat_ws(' ', CASE WHEN f.fdwhandler <> 0 THEN 'HANDLER ' || f.fdwhandler::regproc END,
    CASE WHEN f.fdwvalidator <> 0 THEN 'VALIDATOR ' || f.fdwvalidator::regproc END,
    'OPTIONS (' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(f.fdwoptions) o) || ')')
FROM pg_foreign_data_wrapper f WHERE ('pg_foreign_data_wrapper'::regclass, f.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT quote_ident(s.srvname), 'foreign-server', '', concat_ws(' ', 'WRAPPER', quote_ident(f.fdwname), 'TYPE ' || quote_literal(s.srvtype), 'VERSION ' || quote_literal(s.srvversion),
    'OPTIONS (' || (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(s.srvoptions) o) || ')')
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
UNION ALL
-- Not the options: one of them is the password, and who may not see it would see another schema.
SELECT quote_ident(m.srvname), 'user-mapping', CASE WHEN m.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, ''
FROM pg_user_mappings m
UNION ALL
SELECT quote_ident(l.lanname), 'language', '', concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'TRUSTED' END, 'HANDLER ' || l.lanplcallfoid::regproc)
FROM pg_language l WHERE l.oid >= 16384 AND ('pg_language'::regclass, l.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT format_type(t.trftype, NULL) || ' FOR ' || quote_ident(l.lanname), 'transform', '', concat_ws(' ', t.trffromsql::regprocedure, t.trftosql::regprocedure)
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE ('pg_transform'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT quote_ident(m.amname), 'access-method', '', concat_ws(' ', 'TYPE', m.amtype, 'HANDLER', m.amhandler)
FROM pg_am m WHERE m.oid >= 16384 AND ('pg_am'::regclass, m.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
-- The database's name is its own affair.
SELECT 'database', 'setting', CASE WHEN s.setrole = 0 THEN '' ELSE 'FOR ROLE ' || s.setrole::regrole || ' ' END || split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT coalesce(d.defaclnamespace::regnamespace::text, 'database'), 'default-privileges',
    CASE WHEN d.defaclrole = (SELECT datdba FROM pg_database WHERE datname = current_database()) THEN 'OWNER' ELSE d.defaclrole::regrole::text END
        || ' ' || CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' ELSE d.defaclobjtype::text END,
    coalesce((SELECT string_agg(entry, '; ' ORDER BY entry COLLATE "C") FROM (
        SELECT CASE WHEN x.grantee = 0 THEN 'PUBLIC' WHEN x.grantee = d.defaclrole THEN 'OWNER' ELSE x.grantee::regrole::text END || ': '
            || string_agg(x.privilege_type || CASE WHEN x.is_grantable AND x.grantee <> d.defaclrole THEN ' WITH GRANT OPTION' ELSE '' END, ', ' ORDER BY x.privilege_type COLLATE "C") AS entry
        FROM aclexplode(d.defaclacl) x GROUP BY x.grantee) entries), '')
FROM pg_default_acl d LEFT JOIN space s ON s.oid = d.defaclnamespace WHERE d.defaclnamespace = 0 OR s.oid IS NOT NULL
UNION ALL
-- Only what differs from what holds without any GRANT, however it came about.
SELECT object, 'privileges', part, coalesce(max(definition) FILTER (WHERE given), 'none')
FROM granted GROUP BY object, part, class HAVING max(definition) FILTER (WHERE given) IS DISTINCT FROM max(definition) FILTER (WHERE NOT given)
UNION ALL
SELECT coalesce(r.object, substring(i.identity FROM CASE WHEN i.type IN ('table constraint', 'domain constraint', 'trigger', 'rule', 'policy') THEN ' on (.*)$' END), i.identity),
    'comment', coalesce(quote_ident(a.attname), CASE WHEN r.oid IS NULL THEN i.type || ' ' || i.identity ELSE '' END), d.description
FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
LEFT JOIN relation r ON d.classoid = 'pg_class'::regclass AND r.oid = d.objoid
LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid > 0
WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass AND d.objoid IN (SELECT oid FROM space))
    AND i.identity IS NOT NULL AND coalesce(i.schema, '') !~ '^pg_'
    AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM extension_member)
    AND NOT (d.classoid = 'pg_class'::regclass AND d.objoid IN (SELECT oid FROM history))
UNION ALL
SELECT i.identity, 'security-label', i.type || ' ' || l.provider, l.label
FROM pg_seclabel l CROSS JOIN LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i
WHERE (l.classoid, l.objoid) NOT IN (SELECT classid, objid FROM extension_member)
