-- The labels of enums.
SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname) AS object, e.enumlabel AS label
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
ORDER BY 1, e.enumsortorder
