-- Who may see and change what: roles, grants, row level security.
-- Applied again whenever it changes, so every statement must succeed on a database that has it already.
--
-- Roles belong to the whole cluster, not to this database: another database may have made them before, or be making them
-- at this moment. So nothing here alters a role that exists, and losing the race is no error.
-- Nothing here names a table or column that a later migration made. A policy would stand in the way of the down, and a
-- grant would be lost with the table and not come back with it, because this file has not changed.

DO $roles$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['crm_app', 'crm_report'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    RAISE NOTICE 'role % was made by somebody else meanwhile', role_name;
            END;
        END IF;
    END LOOP;
END;
$roles$;

-- The application reads and writes rows. It owns nothing, so it cannot change the schema.
-- Every table by name: ALL TABLES would give more on the second run than on the first, when the views are there.
GRANT USAGE ON SCHEMA core TO crm_app, crm_report;
GRANT SELECT ON core.roles TO crm_app;
GRANT SELECT, UPDATE ON core.settings TO crm_app;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON core.users, core.user_roles, core.customers, core.orders, core.order_items, core.notes
    TO crm_app;

-- Who is asking, the application says per transaction: SET LOCAL crm.user_id = '42'. Nobody said: no rows.
-- The owner of the tables is not bound by the policies; migrations, seeds and checks see every row.
ALTER TABLE core.customers ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS customers_for_staff ON core.customers;
CREATE POLICY customers_for_staff ON core.customers
    TO crm_app
    USING (EXISTS (
        SELECT FROM core.users AS asking
        WHERE asking.id = nullif(current_setting('crm.user_id', true), '')::bigint
            AND asking.is_active
            AND (
                customers.owner_id IS NULL
                OR customers.owner_id = asking.id
                OR EXISTS (
                    SELECT FROM core.user_roles AS held
                    WHERE held.user_id = asking.id AND held.role_code IN ('admin', 'sales_lead')
                )
            )
    ));

ALTER TABLE core.orders ENABLE ROW LEVEL SECURITY;

-- The customer's own policy decides inside the subquery: whoever sees the customer sees the orders.
DROP POLICY IF EXISTS orders_for_staff ON core.orders;
CREATE POLICY orders_for_staff ON core.orders
    TO crm_app
    USING (EXISTS (SELECT FROM core.customers AS customer WHERE customer.id = orders.customer_id));
