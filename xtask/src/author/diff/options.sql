-- The options of what is elsewhere, one a row.
SELECT quote_ident(w.fdwname) AS object, 'foreign-data-wrapper' AS kind, '' AS part, quote_ident(o.option_name) AS name, o.option_value AS value
FROM pg_foreign_data_wrapper w CROSS JOIN LATERAL pg_options_to_table(w.fdwoptions) o
UNION ALL
SELECT quote_ident(s.srvname), 'foreign-server', '', quote_ident(o.option_name), o.option_value
FROM pg_foreign_server s CROSS JOIN LATERAL pg_options_to_table(s.srvoptions) o
UNION ALL
SELECT f.ftrelid::regclass::text, 'foreign-table', '', quote_ident(o.option_name), o.option_value
FROM pg_foreign_table f CROSS JOIN LATERAL pg_options_to_table(f.ftoptions) o
UNION ALL
SELECT a.attrelid::regclass::text, 'column', quote_ident(a.attname), quote_ident(o.option_name), o.option_value
FROM pg_attribute a CROSS JOIN LATERAL pg_options_to_table(a.attfdwoptions) o WHERE a.attfdwoptions IS NOT NULL AND NOT a.attisdropped
