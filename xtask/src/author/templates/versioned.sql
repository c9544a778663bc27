-- Purpose: {{purpose}}
-- migrate:up


-- migrate:down

