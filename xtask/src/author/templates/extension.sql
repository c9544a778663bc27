-- Purpose: the extension {{typed}}
-- migrate:up
CREATE EXTENSION IF NOT EXISTS "{{typed}}";

-- migrate:down
DROP EXTENSION IF EXISTS "{{typed}}";
