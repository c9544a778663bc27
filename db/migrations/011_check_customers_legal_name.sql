-- Purpose: rename customers.company to legal_name without downtime (3 of 5: legal_name is required from now on)
-- SET NOT NULL at once would read the whole table under a lock that stops readers too. A CHECK that is NOT VALID does
-- not read, and the next migration validates it without blocking anybody.

-- migrate:up
ALTER TABLE core.customers
    ADD CONSTRAINT customers_legal_name_is_present CHECK (legal_name IS NOT NULL) NOT VALID;

-- migrate:down
ALTER TABLE core.customers DROP CONSTRAINT customers_legal_name_is_present;
