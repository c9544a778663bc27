-- Purpose: an order can only be assigned to a user who exists (2 of 2: the old rows)
-- Reads the whole table, and lets everybody read and write meanwhile. An order of a vanished user makes it fail:
-- correct the row and run `up` again.

-- migrate:up
ALTER TABLE core.orders VALIDATE CONSTRAINT orders_assigned_to_fkey;

-- migrate:down
-- There is no statement that takes a validation back: the constraint is made again as 005 made it.
ALTER TABLE core.orders DROP CONSTRAINT orders_assigned_to_fkey;

ALTER TABLE core.orders
    ADD CONSTRAINT orders_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES core.users (id) ON DELETE SET NULL NOT VALID;
