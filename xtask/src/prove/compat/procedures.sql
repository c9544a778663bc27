SELECT format('%I.%I', n.nspname, p.proname) AS name, p.prosrc AS body, l.lanname = 'plpgsql' AS is_plpgsql
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('internal', 'c', 'sql')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_proc'::regclass
        AND d.objid = p.oid AND d.deptype = 'e'
  )
ORDER BY 1
