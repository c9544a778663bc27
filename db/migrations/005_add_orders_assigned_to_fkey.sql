-- Purpose: an order can only be assigned to a user who exists (1 of 2: from now on)
-- NOT VALID: new rows are checked at once, the old ones by the next migration, which does not block writers.

-- migrate:up
ALTER TABLE core.orders
    ADD CONSTRAINT orders_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES core.users (id) ON DELETE SET NULL NOT VALID;

-- migrate:down
ALTER TABLE core.orders DROP CONSTRAINT orders_assigned_to_fkey;
