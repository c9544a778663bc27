-- What another session has locked exclusively would have to be waited for: it is as large as it was.
WITH RECURSIVE wanted (qualified, nspname, relname) AS (
    VALUES {wanted}
), blocked AS MATERIALIZED (
    SELECT DISTINCT l.relation FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
), tree (qualified, oid) AS (
    SELECT w.qualified, c.oid FROM wanted w JOIN pg_namespace n ON n.nspname = w.nspname
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.relname
    UNION ALL
    SELECT t.qualified, i.inhrelid FROM tree t JOIN pg_class p ON p.oid = t.oid AND p.relkind IN ('p', 'I') JOIN pg_inherits i ON i.inhparent = t.oid
), parts AS (
    SELECT t.qualified, c.reltuples, c.relpages, c.relkind, x.relation, coalesce(
            CASE WHEN {live} AND x.relation NOT IN (SELECT relation FROM blocked) THEN pg_relation_size(x.relation) END,
            (SELECT r.relpages::int8 FROM pg_class r WHERE r.oid = x.relation) * current_setting('block_size')::int8) AS bytes, x.is_toast
    FROM tree t JOIN pg_class c ON c.oid = t.oid
    CROSS JOIN LATERAL (VALUES (c.oid, false), (c.reltoastrelid, true)) x (relation, is_toast)
    WHERE x.relation <> 0
)
SELECT p.qualified AS name, sum(p.bytes)::int8 AS bytes,
    -- Before release 14 a table that was never analyzed looks like an empty one.
    CASE WHEN bool_and(p.reltuples > 0 OR p.reltuples = 0 AND (p.relpages > 0 OR current_setting('server_version_num')::int >= 140000))
            FILTER (WHERE p.relkind NOT IN ('p', 'I'))
        THEN (sum(p.reltuples) FILTER (WHERE NOT p.is_toast AND p.relkind NOT IN ('p', 'I')))::int8 END AS rows
FROM parts p GROUP BY p.qualified
