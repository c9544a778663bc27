-- What another session has locked exclusively would have to be waited for: its size is not asked.
WITH blocked AS MATERIALIZED (
    SELECT DISTINCT l.relation FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
), chosen AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.reltuples, c.relpages, c.reltoastrelid, count(*) OVER () AS there,
        row_security_active(c.oid) OR NOT has_table_privilege(c.oid, 'SELECT') AS is_hidden
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY c.relpages DESC, n.nspname, c.relname LIMIT {most}
), columns AS (
    SELECT a.attrelid, json_agg(json_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
            'width', s.avg_width, 'nulls', s.null_frac, 'distinct', s.n_distinct) ORDER BY a.attnum) AS columns,
        bool_or(s.avg_width IS NULL) AS lacks
    FROM chosen c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_stats s ON s.schemaname = c.nspname AND s.tablename = c.relname AND s.attname = a.attname AND s.inherited = (c.relkind = 'p')
    GROUP BY a.attrelid
), indexes AS (
    SELECT i.indrelid, sum(pg_stat_get_numscans(x.oid)) AS scans, json_agg(json_build_object('name', quote_ident(x.relname), 'method', m.amname,
            'bytes', CASE WHEN x.oid NOT IN (SELECT relation FROM blocked) THEN pg_relation_size(x.oid) END,
            'columns', (SELECT coalesce(json_agg(coalesce(quote_ident(a.attname), '(expression)') ORDER BY k.place), '[]')
                FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
                LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts),
            'unique', i.indisunique, 'partial', i.indpred IS NOT NULL) ORDER BY x.relname) AS indexes
    FROM chosen c JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    GROUP BY i.indrelid
)
SELECT quote_ident(c.nspname) || '.' || quote_ident(c.relname) AS name, c.there,
    CASE WHEN c.relkind = 'p' THEN 'partitioned' WHEN c.relkind = 'm' THEN 'materialized_view' WHEN c.relispartition THEN 'partition' ELSE 'table' END AS kind,
    (SELECT quote_ident(n.nspname) || '.' || quote_ident(p.relname) FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent
        JOIN pg_namespace n ON n.oid = p.relnamespace WHERE c.relispartition AND h.inhrelid = c.oid) AS partition_of,
    -- Before release 14 a table that was never analyzed looks like an empty one.
    CASE WHEN c.reltuples < 0 OR c.reltuples = 0 AND c.relpages = 0 AND current_setting('server_version_num')::int < 140000
        THEN -1 ELSE c.reltuples::int8 END AS rows,
    greatest(c.relpages, 0) AS pages,
    CASE WHEN c.oid NOT IN (SELECT relation FROM blocked) THEN pg_relation_size(c.oid) END AS bytes,
    CASE WHEN c.reltoastrelid = 0 THEN 0 WHEN c.reltoastrelid NOT IN (SELECT relation FROM blocked) THEN pg_relation_size(c.reltoastrelid) END AS toast_bytes,
    CASE WHEN a.lacks IS NOT TRUE THEN NULL WHEN c.is_hidden THEN 'denied' ELSE 'missing' END AS no_statistics,
    pg_stat_get_numscans(c.oid) AS sequential_scans, coalesce(i.scans, 0) AS index_scans, pg_stat_get_tuples_inserted(c.oid) AS inserted,
    pg_stat_get_tuples_updated(c.oid) AS updated, pg_stat_get_tuples_deleted(c.oid) AS deleted,
    coalesce(a.columns, '[]') AS columns, coalesce(i.indexes, '[]') AS indexes
FROM chosen c LEFT JOIN columns a ON a.attrelid = c.oid LEFT JOIN indexes i ON i.indrelid = c.oid
ORDER BY c.relpages DESC, c.nspname, c.relname
