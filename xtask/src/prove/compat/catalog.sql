SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relnatts AS columns, a.attnum AS number, a.attname AS column,
       a.attgenerated <> '' AS generated,
       (
           SELECT string_agg(d.attnum::text, ',') FROM pg_attribute d
           WHERE d.attrelid = c.oid AND d.attnum > 0 AND d.attisdropped
       ) AS dropped,
       -- Before each row of an INSERT (1 + 2 + 4), on the table or on one of its partitions.
       EXISTS (
           SELECT FROM pg_trigger t
           WHERE t.tgrelid IN (SELECT c.oid UNION ALL SELECT relid FROM pg_partition_tree(c.oid) WHERE c.relkind = 'p')
             AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
             AND (t.tgtype & 7::int2) = 7
       ) AS filled
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (
    pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
) ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 AND (a.attnotnull OR y.typtype = 'd' AND y.typnotnull)
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
