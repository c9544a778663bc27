-- Purpose: {{purpose}}
-- Without IF NOT EXISTS: an index that an interrupted run left invalid would pass for a good one.
-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY "{{name}}" ON public.some_table (some_column);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY public."{{name}}";
