-- What can have a comment and is no relation and no part of one, as the comments name it: `function app.f(integer)`.
SELECT i.type || ' ' || i.identity AS name
FROM (
    SELECT 'pg_proc'::regclass::oid AS class, oid FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'pg_operator'::regclass::oid, oid FROM pg_operator WHERE oid >= 16384
    UNION ALL SELECT 'pg_cast'::regclass::oid, oid FROM pg_cast WHERE oid >= 16384
    UNION ALL SELECT 'pg_collation'::regclass::oid, oid FROM pg_collation WHERE oid >= 16384
    UNION ALL SELECT 'pg_conversion'::regclass::oid, oid FROM pg_conversion WHERE oid >= 16384
    UNION ALL SELECT 'pg_opclass'::regclass::oid, oid FROM pg_opclass WHERE oid >= 16384
    UNION ALL SELECT 'pg_opfamily'::regclass::oid, oid FROM pg_opfamily WHERE oid >= 16384
    UNION ALL SELECT 'pg_language'::regclass::oid, oid FROM pg_language WHERE oid >= 16384
    UNION ALL SELECT 'pg_am'::regclass::oid, oid FROM pg_am WHERE oid >= 16384
    UNION ALL SELECT 'pg_transform'::regclass::oid, oid FROM pg_transform WHERE oid >= 16384
    UNION ALL SELECT 'pg_event_trigger'::regclass::oid, oid FROM pg_event_trigger WHERE oid >= 16384
    UNION ALL SELECT 'pg_extension'::regclass::oid, oid FROM pg_extension WHERE oid >= 16384
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass::oid, oid FROM pg_foreign_data_wrapper WHERE oid >= 16384
    UNION ALL SELECT 'pg_foreign_server'::regclass::oid, oid FROM pg_foreign_server WHERE oid >= 16384
    UNION ALL SELECT 'pg_publication'::regclass::oid, oid FROM pg_publication WHERE oid >= 16384
    UNION ALL SELECT 'pg_statistic_ext'::regclass::oid, oid FROM pg_statistic_ext WHERE oid >= 16384
    UNION ALL SELECT 'pg_ts_config'::regclass::oid, oid FROM pg_ts_config WHERE oid >= 16384
    UNION ALL SELECT 'pg_ts_dict'::regclass::oid, oid FROM pg_ts_dict WHERE oid >= 16384
    UNION ALL SELECT 'pg_ts_parser'::regclass::oid, oid FROM pg_ts_parser WHERE oid >= 16384
    UNION ALL SELECT 'pg_ts_template'::regclass::oid, oid FROM pg_ts_template WHERE oid >= 16384
    UNION ALL SELECT 'pg_namespace'::regclass::oid, oid FROM pg_namespace
    UNION ALL SELECT 'pg_type'::regclass::oid, oid FROM pg_type WHERE oid >= 16384 AND typrelid = 0 AND typcategory <> 'A'
) o
CROSS JOIN LATERAL pg_identify_object(o.class, o.oid, 0) i
