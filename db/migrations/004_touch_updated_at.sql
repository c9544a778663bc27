-- Purpose: updated_at is set by the database, also where somebody changes a row by hand
-- The function leaves a row alone that an UPDATE has not changed: seeds may run again without a trace.

-- migrate:up
CREATE FUNCTION core.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $touch$
BEGIN
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END;
$touch$;

COMMENT ON FUNCTION core.touch_updated_at() IS 'Trigger: sets updated_at when the row has changed';

CREATE TRIGGER users_touch_updated_at
    BEFORE UPDATE ON core.users
    FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();

-- migrate:allow creating-trigger the tables are small, and all four locks are held for milliseconds
CREATE TRIGGER customers_touch_updated_at
    BEFORE UPDATE ON core.customers
    FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();

-- migrate:allow creating-trigger the tables are small, and all four locks are held for milliseconds
CREATE TRIGGER orders_touch_updated_at
    BEFORE UPDATE ON core.orders
    FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();

-- migrate:allow creating-trigger the tables are small, and all four locks are held for milliseconds
CREATE TRIGGER settings_touch_updated_at
    BEFORE UPDATE ON core.settings
    FOR EACH ROW EXECUTE FUNCTION core.touch_updated_at();

-- migrate:down
DROP TRIGGER settings_touch_updated_at ON core.settings;
DROP TRIGGER orders_touch_updated_at ON core.orders;
DROP TRIGGER customers_touch_updated_at ON core.customers;
DROP TRIGGER users_touch_updated_at ON core.users;

DROP FUNCTION core.touch_updated_at();
