-- What decides of the event log, with what the log and the state table say together; under `sql::OURS`, in one snapshot.
--
-- Every part of it takes a few steps of the log's index, however long the log is. Where that index is missing, or everything was
-- asked for, the answer is the whole log.
--
-- A range of one place, in the order of that index, and not `=` in the order of `id`: statistics would have the planner walk the log
-- backwards by its primary key, which is long where nothing is found.
WITH RECURSIVE
here(indexed) AS MATERIALIZED (SELECT {indexed}),

-- What there are events of: non-transactional migrations, repeatables, environments, adopted tables; one step each.
keys(action, key) AS (
    SELECT of.action, (
        SELECT {key} FROM {events} WHERE action COLLATE "C" = of.action AND {key} > '' ORDER BY {key} LIMIT 1)
    FROM (VALUES ('up'), ('down'), ('resolve'), ('repeatable'), ('environment'), ('adopt')) AS of(action), here WHERE indexed
    UNION ALL
    SELECT keys.action, (
        SELECT {key} FROM {events} WHERE action COLLATE "C" = keys.action AND {key} > keys.key ORDER BY {key} LIMIT 1)
    FROM keys WHERE keys.key IS NOT NULL),

-- The newest event of each, the newest that may have changed the schema, and the newest of a whole migration.
newest AS MATERIALIZED (
    SELECT keys.action, keys.key, (
            SELECT id FROM {events} WHERE (action COLLATE "C", {key}) BETWEEN (keys.action, keys.key) AND (keys.action, keys.key)
                AND (outcome = 'done' OR keys.action IN ('up', 'down', 'resolve')) ORDER BY {newest_first} LIMIT 1) AS id,
        CASE WHEN keys.action IN ('up', 'down') THEN (
            SELECT id FROM {events} WHERE (action COLLATE "C", {key}) BETWEEN (keys.action, keys.key) AND (keys.action, keys.key)
                AND outcome <> 'started' ORDER BY {newest_first} LIMIT 1) END AS changed,
        CASE WHEN keys.action IN ('up', 'down') THEN (
            SELECT id FROM {events} WHERE (action COLLATE "C", {key}) BETWEEN (keys.action, keys.key) AND (keys.action, keys.key)
                AND outcome = 'done' AND statement IS NULL ORDER BY {newest_first} LIMIT 1) END AS whole
    FROM keys WHERE keys.key IS NOT NULL),

-- Non-transactional migrations: the newest event, and the event after it that says that the migration is finished.
tried(version, id) AS (
    SELECT key, max(id) FROM newest WHERE action IN ('up', 'down', 'resolve') GROUP BY key),
ended AS MATERIALIZED (
    SELECT tried.version, tried.id, (
        SELECT e.id FROM {events} e WHERE e.id >= tried.id AND e.version::text = tried.version AND e.statement IS NULL
            AND e.outcome = 'done' AND e.action IN ('up', 'down', 'stamp', 'adopt') ORDER BY e.id LIMIT 1) AS ended
    FROM tried),
open(version) AS MATERIALIZED (SELECT version FROM ended WHERE ended IS NULL),

-- The newest event that may have changed the schema: after it, every repeatable has to be applied again.
changed(id) AS MATERIALIZED (
    SELECT max(id) FROM (
        SELECT (SELECT id FROM {events} WHERE (action COLLATE "C", {key}) BETWEEN (of.action, '') AND (of.action, '')
            AND outcome <> 'started' ORDER BY {newest_first} LIMIT 1) AS id
        FROM (VALUES ('up'), ('down')) AS of(action), here WHERE indexed
        UNION ALL SELECT changed FROM newest) AS of),

repeated(id, at) AS MATERIALIZED (
    SELECT e.id, e.at FROM {events} e
    WHERE e.id = (SELECT CASE WHEN indexed THEN (SELECT max(id) FROM newest WHERE action = 'repeatable')
        ELSE (SELECT id FROM {events} WHERE action = 'repeatable' AND outcome = 'done' ORDER BY id DESC LIMIT 1) END FROM here)),

-- Whether another tool has applied a migration since the repeatables ran: it writes no event, only the time tells. Without repeatables
-- the server does not even plan these questions.
facts(newest, head, head_run, indexed, applied_elsewhere, removed_elsewhere) AS MATERIALIZED (
    SELECT (SELECT id FROM {events} ORDER BY id DESC LIMIT 1), head.id, head.run_id, indexed,
        CASE WHEN {repeats} AND EXISTS (SELECT FROM repeated) THEN
            EXISTS (SELECT FROM (SELECT NULL::text AS checksum, NULL::timestamptz AS applied_at) AS absent, LATERAL (
                SELECT FROM {state} WHERE checksum IS NULL AND applied_at::timestamptz > (SELECT at FROM repeated)) AS later)
        ELSE false END,
        -- Whether one that the log calls applied has no row any more; it matters only where a repeatable would not be due anyway.
        CASE WHEN {repeats} AND indexed AND coalesce((SELECT id FROM repeated) > coalesce((SELECT id FROM changed), 0), false) THEN
            EXISTS (SELECT FROM (
                SELECT DISTINCT ON (version) action FROM (
                    SELECT version::text, id, action FROM {events} WHERE action COLLATE "C" IN ('up', 'down', 'stamp')
                        AND {key} = '' AND version IS NOT NULL AND outcome = 'done'
                    UNION ALL SELECT version::text, id, action FROM {events} WHERE action COLLATE "C" = 'adopt'
                        AND version IS NOT NULL AND outcome = 'done'
                    UNION ALL SELECT key, whole, action FROM newest WHERE whole IS NOT NULL) AS e
                WHERE NOT EXISTS (SELECT FROM {state} s WHERE s.version::text = e.version)
                ORDER BY version, id DESC) AS last WHERE last.action <> 'down')
        ELSE false END
    -- The newest that is more than a failed try.
    FROM here LEFT JOIN LATERAL (
        SELECT id, run_id FROM {events} WHERE outcome <> 'failed' ORDER BY id DESC LIMIT 1) AS head ON true),

chosen(id) AS (
    SELECT id FROM newest WHERE action IN ('repeatable', 'environment', 'adopt')
    UNION SELECT id FROM changed
    UNION SELECT id FROM ended WHERE ended IS NOT NULL
    UNION SELECT ended FROM ended
    UNION SELECT e.id FROM {events} e
        WHERE EXISTS (SELECT FROM open) AND e.version::text IN (SELECT version FROM open) AND e.action <> 'seed')

SELECT facts.newest, facts.head, facts.head_run, facts.indexed, facts.applied_elsewhere, facts.removed_elsewhere, log.* FROM facts LEFT JOIN LATERAL (
    SELECT {columns} FROM chosen, LATERAL (SELECT * FROM {events} of WHERE of.id = chosen.id LIMIT 1) AS e
    WHERE facts.indexed
    UNION ALL
    SELECT {columns} FROM {events} e WHERE NOT facts.indexed AND action <> 'seed'
) AS log ON true ORDER BY log.id
