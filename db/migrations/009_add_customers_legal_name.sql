-- Purpose: rename customers.company to legal_name without downtime (1 of 5: both columns, kept equal)
-- A release that writes only `company` and one that writes only `legal_name` run side by side: the trigger copies.

-- migrate:up
ALTER TABLE core.customers ADD COLUMN legal_name text;

COMMENT ON COLUMN core.customers.legal_name IS 'Name as it is in the register: Müller & Söhne GmbH';

CREATE FUNCTION core.sync_customers_legal_name() RETURNS trigger
    LANGUAGE plpgsql
    AS $sync$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.legal_name := coalesce(NEW.legal_name, NEW.company);
        NEW.company := coalesce(NEW.company, NEW.legal_name);
    ELSIF NEW.legal_name IS DISTINCT FROM OLD.legal_name THEN
        NEW.company := NEW.legal_name;
    ELSIF NEW.company IS DISTINCT FROM OLD.company THEN
        NEW.legal_name := NEW.company;
    END IF;
    RETURN NEW;
END;
$sync$;

CREATE TRIGGER customers_sync_legal_name
    BEFORE INSERT OR UPDATE ON core.customers
    FOR EACH ROW EXECUTE FUNCTION core.sync_customers_legal_name();

-- migrate:down
DROP TRIGGER customers_sync_legal_name ON core.customers;

DROP FUNCTION core.sync_customers_legal_name();

ALTER TABLE core.customers DROP COLUMN legal_name;
