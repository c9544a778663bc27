WITH views AS (
    SELECT c.oid, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_extension e JOIN pg_depend p ON p.refclassid = 'pg_extension'::regclass AND p.refobjid = e.oid AND p.deptype = 'e'
    JOIN pg_class c ON p.classid = 'pg_class'::regclass AND p.objid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE e.extname = 'pg_stat_statements'
)
SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS taken_at,
    current_setting('server_version') AS server,
    current_database() AS database,
    quote_ident(current_user) AS role,
    (extract(epoch FROM now() - pg_stat_get_db_stat_reset_time(d.oid)) / 60)::numeric(20, 1) AS counted_minutes,
    (SELECT greatest(coalesce(max(extract(epoch FROM clock_timestamp() - a.xact_start)), 0), 0)::numeric(20, 1) FROM pg_stat_activity a
        WHERE a.datid = d.oid AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend') AS longest,
    pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
    (SELECT v.name FROM views v WHERE v.relname = 'pg_stat_statements') AS statements,
    (SELECT v.name FROM views v WHERE v.relname = 'pg_stat_statements_info') AS info,
    EXISTS (SELECT FROM views v JOIN pg_attribute b ON b.attrelid = v.oid WHERE v.relname = 'pg_stat_statements' AND b.attname = 'toplevel') AS has_toplevel
FROM pg_database d WHERE d.datname = current_database()
