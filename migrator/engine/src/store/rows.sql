-- The rows of the state table, in one result with what is known of all of them; under `sql::OURS`.
--
-- A column that the table lacks, as that of another tool or of an older release, is found in `absent`.
SELECT summary.count, summary.known, listed.* FROM ({summary}) AS summary LEFT JOIN LATERAL (
    SELECT rows.* FROM (
        SELECT NULL::text AS version, NULL::text AS name, NULL::text AS checksum, NULL::timestamptz AS applied_at,
            NULL::text AS applied_by, NULL::bigint AS execution_ms, NULL::text AS release) AS absent,
    LATERAL (
        SELECT true AS is_row, version::text AS version, name::text AS name, checksum::text AS checksum,
            to_char(timezone('UTC', applied_at::timestamptz), 'YYYY-MM-DD HH24:MI:SS') AS applied_at_utc,
            applied_by::text AS applied_by, execution_ms::text AS execution_ms, release::text AS release
        FROM {state} WHERE NOT summary.known) AS rows
) AS listed ON true
