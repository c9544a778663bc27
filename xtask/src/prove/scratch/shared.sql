-- What the databases of a server share, one row an object or a property of one: what brings it about, and what takes it away.
-- Asked with search_path = pg_catalog, pg_temp. Scratch databases are not in it: they are made and dropped by name.
WITH
person AS MATERIALIZED (
    SELECT {roles}
),
place AS MATERIALIZED (
    SELECT * FROM pg_database WHERE datname !~ '^migrator_verify_'
),
setting AS MATERIALIZED (
    SELECT r.rolname, d.datname, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value,
        CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'ALTER ROLE ALL' WHEN s.setrole = 0 THEN format('ALTER DATABASE %I', d.datname)
            WHEN s.setdatabase = 0 THEN format('ALTER ROLE %I', r.rolname) ELSE format('ALTER ROLE %I IN DATABASE %I', r.rolname, d.datname) END AS what
    FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) c
    LEFT JOIN person r ON r.oid = s.setrole LEFT JOIN place d ON d.oid = s.setdatabase
    WHERE (s.setrole = 0 OR r.oid IS NOT NULL) AND (s.setdatabase = 0 OR d.oid IS NOT NULL)
),
entry AS MATERIALIZED (
    SELECT 'DATABASE' AS class, quote_ident(d.datname) AS object, d.datname::text AS name, x.*
    FROM place d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    UNION ALL
    SELECT 'TABLESPACE', quote_ident(t.spcname), t.spcname::text, x.*
    FROM pg_tablespace t CROSS JOIN LATERAL aclexplode(coalesce(t.spcacl, acldefault('t', t.spcowner))) x
    {parameters}
),
membership AS MATERIALIZED (
    SELECT r.rolname AS role, m.rolname AS member, g.rolname AS grantor, to_jsonb(a) AS options
    FROM pg_auth_members a JOIN person r ON r.oid = a.roleid JOIN person m ON m.oid = a.member LEFT JOIN person g ON g.oid = a.grantor
),
described AS MATERIALIZED (
    SELECT c.description, CASE WHEN r.oid IS NOT NULL THEN format('ROLE %I', r.rolname) WHEN t.oid IS NOT NULL THEN format('TABLESPACE %I', t.spcname)
        ELSE format('DATABASE %I', d.datname) END AS what, coalesce(r.rolname, t.spcname, d.datname) AS name
    FROM pg_shdescription c
    LEFT JOIN person r ON c.classoid = 'pg_authid'::regclass AND r.oid = c.objoid
    LEFT JOIN pg_tablespace t ON c.classoid = 'pg_tablespace'::regclass AND t.oid = c.objoid
    LEFT JOIN place d ON c.classoid = 'pg_database'::regclass AND d.oid = c.objoid
    WHERE coalesce(r.oid, t.oid, d.oid) IS NOT NULL
)
SELECT 'database' AS kind, datname::text AS key, datname::text AS name, NULL::text AS other, '' AS make,
    format('DROP DATABASE %I WITH (FORCE)', datname) AS unmake FROM place
UNION ALL
SELECT 'replication slot', slot_name::text, slot_name::text, NULL, '', format('SELECT pg_catalog.pg_drop_replication_slot(%L)', slot_name)
FROM pg_replication_slots WHERE NOT temporary
UNION ALL
SELECT 'replication origin', roname, roname, NULL, format('SELECT pg_catalog.pg_replication_origin_create(%L)', roname),
    format('SELECT pg_catalog.pg_replication_origin_drop(%L)', roname) FROM pg_replication_origin
UNION ALL
SELECT 'tablespace', spcname::text, spcname::text, NULL, '', format('DROP TABLESPACE %I', spcname) FROM pg_tablespace
UNION ALL
SELECT 'role', rolname::text, rolname::text, NULL, format('CREATE ROLE %I', rolname), format('DROP OWNED BY %1$I; DROP ROLE %1$I', rolname) FROM person
UNION ALL
SELECT 'attributes', rolname::text, rolname::text, NULL, format('ALTER ROLE %I WITH %s %s %s %s %s %s %s CONNECTION LIMIT %s VALID UNTIL %L%s', rolname,
    CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
    CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
    CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
    CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END, rolconnlimit, coalesce(rolvaliduntil::text, 'infinity'), password), ''
FROM person WHERE NOT rolname ~ '^pg_'
UNION ALL
SELECT 'membership', concat_ws('/', role, member, grantor), role::text, member::text,
    format('GRANT %I TO %I%s', role, member, CASE WHEN options ? 'inherit_option' THEN format(' WITH ADMIN %s, INHERIT %s, SET %s GRANTED BY %I',
        options ->> 'admin_option', options ->> 'inherit_option', options ->> 'set_option', grantor)
        WHEN (options ->> 'admin_option')::boolean THEN ' WITH ADMIN OPTION' ELSE '' END),
    format('REVOKE %I FROM %I%s', role, member, CASE WHEN options ? 'inherit_option' THEN format(' GRANTED BY %I', grantor) ELSE '' END)
FROM membership
UNION ALL
SELECT 'setting', concat_ws('/', what, lower(name)), coalesce(rolname, datname)::text, name,
    -- The server divides a list by itself: a literal would be one element of it.
    format('SELECT pg_catalog.set_config(%L, %L, true); %s SET %s FROM CURRENT', name, value, what, quoted), format('%s RESET %s', what, quoted)
FROM setting CROSS JOIN LATERAL (SELECT string_agg(quote_ident(part), '.' ORDER BY number) AS quoted
    FROM unnest(string_to_array(name, '.')) WITH ORDINALITY parts (part, number)) parts
UNION ALL
SELECT 'privilege', concat_ws('/', class, object, grantee, privilege_type), name, grantee_name,
    format('GRANT %s ON %s %s TO %s%s', privilege_type, class, object, grantee, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END),
    format('REVOKE %s ON %s %s FROM %s', privilege_type, class, object, grantee)
FROM (SELECT e.class, e.object, e.name, e.privilege_type, bool_or(e.is_grantable) AS is_grantable, r.rolname::text AS grantee_name,
        CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END AS grantee
    FROM entry e LEFT JOIN person r ON r.oid = e.grantee WHERE e.grantee = 0 OR r.oid IS NOT NULL GROUP BY 1, 2, 3, 4, 6, 7) entries
UNION ALL
SELECT 'comment', what, name::text, NULL, format('COMMENT ON %s IS %L', what, description), format('COMMENT ON %s IS NULL', what) FROM described
{system}
