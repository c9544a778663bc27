-- What reports read: no personal data, no table directly.
-- CREATE OR REPLACE VIEW can add columns at the end, never drop, rename or move one: for that, DROP VIEW first.
-- A view stands in the way of a migration, or of a down, that drops a column which it reads. These read only columns of
-- the baseline that no migration drops.

CREATE OR REPLACE VIEW core.customer_turnover AS
SELECT
    customer.id AS customer_id,
    customer.customer_number,
    placed.currency,
    count(placed.id) AS orders,
    count(placed.id) FILTER (WHERE placed.status = 'open') AS open_orders,
    coalesce(sum(placed.total_cents) FILTER (WHERE placed.status = 'paid'), 0) AS paid_cents
FROM core.customers AS customer
LEFT JOIN core.orders AS placed ON placed.customer_id = customer.id AND placed.status <> 'cancelled'
GROUP BY customer.id, customer.customer_number, placed.currency;

COMMENT ON VIEW core.customer_turnover IS 'Orders and turnover by customer and currency, cancelled ones left out';

CREATE OR REPLACE VIEW core.staff_by_role AS
SELECT
    role.code AS role_code,
    role.name AS role_name,
    count(staff.id) AS active_users
FROM core.roles AS role
LEFT JOIN core.user_roles AS held ON held.role_code = role.code
LEFT JOIN core.users AS staff ON staff.id = held.user_id AND staff.is_active
GROUP BY role.code, role.name;

COMMENT ON VIEW core.staff_by_role IS 'How many active users hold each role';

GRANT SELECT ON core.customer_turnover, core.staff_by_role TO crm_report;
