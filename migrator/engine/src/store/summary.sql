SELECT count(*) AS count, (count(*), encode(sha256(convert_to(coalesce(string_agg(
    rows.version || ' ' || coalesce(rows.checksum, '') || chr(10), '' ORDER BY rows.version COLLATE "C"), ''), 'SQL_ASCII')), 'hex'))
    IN (VALUES {expected}) AS known
FROM (SELECT NULL::text AS version, NULL::text AS checksum) AS absent,
LATERAL (SELECT version::text AS version, checksum::text AS checksum FROM {state}) AS rows
