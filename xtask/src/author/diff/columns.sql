-- The columns of relations and composite types, and what each of them is made of.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS object, quote_ident(a.attname) AS name,
    c.relkind::text AS relkind,
    format_type(a.atttypid, a.atttypmod) AS type,
    coalesce(e.typtype, t.typtype)::text AS typtype,
    coalesce(CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0 THEN a.attcollation::regcollation::text END, '') AS "collation",
    a.attnotnull AS required,
    a.attgenerated::text AS generated,
    coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS value,
    a.attidentity::text AS identity,
    coalesce(pg_get_serial_sequence(quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname), '') AS sequence,
    CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END AS storage,
    a.attstorage <> t.typstorage AS stored_otherwise,
    CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END AS compression,
    coalesce(nullif(a.attstattarget, -1)::text, '') AS target,
    coalesce((SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attoptions) o), '') AS options,
    a.attislocal AS local
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type e ON e.typarray = t.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, a.attnum
