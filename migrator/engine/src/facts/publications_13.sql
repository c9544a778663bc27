SELECT quote_ident(p.pubname) AS object, 'publication' AS kind, r.prrelid::regclass::text AS part, 'TABLE' AS definition
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
