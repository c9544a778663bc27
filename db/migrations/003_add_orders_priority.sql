-- Purpose: the warehouse packs urgent orders first
-- An enum, because its order is the order of work. A list that changes often is better a table.

-- migrate:up
CREATE TYPE core.order_priority AS ENUM ('low', 'normal', 'high', 'urgent');

COMMENT ON TYPE core.order_priority IS 'From what can wait to what cannot; sorts in this order';

ALTER TABLE core.orders ADD COLUMN priority core.order_priority DEFAULT 'normal' NOT NULL;

-- migrate:down
ALTER TABLE core.orders DROP COLUMN priority;

DROP TYPE core.order_priority;
