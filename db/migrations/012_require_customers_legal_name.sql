-- Purpose: rename customers.company to legal_name without downtime (4 of 5: NOT NULL)
-- VALIDATE reads the table under a weak lock. SET NOT NULL then finds the valid CHECK and reads nothing. The CHECK goes in
-- a statement of its own: in the same ALTER TABLE it would be dropped first, and the table read after all.

-- migrate:up
ALTER TABLE core.customers VALIDATE CONSTRAINT customers_legal_name_is_present;

ALTER TABLE core.customers ALTER COLUMN legal_name SET NOT NULL;

ALTER TABLE core.customers DROP CONSTRAINT customers_legal_name_is_present;

-- migrate:down
ALTER TABLE core.customers
    ADD CONSTRAINT customers_legal_name_is_present CHECK (legal_name IS NOT NULL) NOT VALID;

ALTER TABLE core.customers ALTER COLUMN legal_name DROP NOT NULL;
