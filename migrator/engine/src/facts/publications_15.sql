SELECT quote_ident(p.pubname) AS object, 'publication' AS kind, r.prrelid::regclass::text AS part, concat_ws(' ', 'TABLE',
    '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[])) || ')',
    'WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')') AS definition
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT quote_ident(p.pubname), 'publication', 'SCHEMA ' || n.pnnspid::regnamespace, ''
FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = n.pnpubid
