-- In the order of the key, which is that of the digits in every usual collation; in another one the sum differs, and the rows are read.
SELECT count(*) AS count, (count(*), encode(sha256(convert_to(coalesce(string_agg(
    rows.version || ' ' || coalesce(rows.checksum, '') || chr(10), ''), ''), 'SQL_ASCII')), 'hex'))
    IN (VALUES {expected}) AS known
FROM (SELECT NULL::text AS version, NULL::text AS checksum) AS absent,
LATERAL (SELECT version::text AS version, checksum::text AS checksum FROM {state} ORDER BY version) AS rows
