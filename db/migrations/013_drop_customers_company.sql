-- Purpose: rename customers.company to legal_name without downtime (5 of 5: the old column goes)
-- Ships one release after the last one that reads or writes `company`. The drop itself takes a moment, but it needs the
-- table for itself: two seconds of waiting, then it steps back and tries again.

-- migrate:up lock_timeout:2s
-- migrate:allow ban-drop-trigger it only kept `company` equal, which nobody reads any more
DROP TRIGGER customers_sync_legal_name ON core.customers;

-- migrate:allow ban-drop-function only the trigger has called it
DROP FUNCTION core.sync_customers_legal_name();

-- migrate:allow ban-drop-column no release that still runs reads or writes it, and legal_name has its values
ALTER TABLE core.customers DROP COLUMN company;

-- migrate:down
-- migrate:loses core.customers.updated_at the trigger moves it where the names are copied
-- A column that is added comes last, but company stood before legal_name. So legal_name takes the old name back, and a new
-- legal_name is made behind it: the order of the columns is what it was.
ALTER TABLE core.customers ALTER COLUMN legal_name DROP NOT NULL;

ALTER TABLE core.customers RENAME COLUMN legal_name TO company;

ALTER TABLE core.customers ALTER COLUMN company SET NOT NULL;

COMMENT ON COLUMN core.customers.company IS 'Name of the company as it is in the register';

ALTER TABLE core.customers ADD COLUMN legal_name text;

COMMENT ON COLUMN core.customers.legal_name IS 'Name as it is in the register: Müller & Söhne GmbH';

UPDATE core.customers SET legal_name = company WHERE legal_name IS NULL;

ALTER TABLE core.customers ALTER COLUMN legal_name SET NOT NULL;

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
