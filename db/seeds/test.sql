-- The least that the application's tests stand on: one user per role, one customer, one order with two lines.
-- Tests make everything else themselves.

INSERT INTO core.roles (code, name) VALUES
    ('admin', 'Administrator'),
    ('sales', 'Sales')
ON CONFLICT (code) DO NOTHING;

INSERT INTO core.settings (key, value, description) VALUES
    ('orders.default_currency', '"EUR"', 'Currency of a new order')
ON CONFLICT (key) DO NOTHING;

INSERT INTO core.users (email, full_name) VALUES
    ('admin@test.example', 'Test Admin'),
    ('sales@test.example', 'Test Säles')
ON CONFLICT (email) DO NOTHING;

INSERT INTO core.user_roles (user_id, role_code)
SELECT staff.id, split_part(staff.email, '@', 1)
FROM core.users AS staff
WHERE staff.email IN ('admin@test.example', 'sales@test.example')
ON CONFLICT (user_id, role_code) DO NOTHING;

INSERT INTO core.customers (customer_number, legal_name, owner_id)
SELECT 'T-1', 'Test Customer', staff.id
FROM core.users AS staff
WHERE staff.email = 'sales@test.example'
ON CONFLICT (customer_number) DO NOTHING;

INSERT INTO core.orders (order_number, customer_id, assigned_to, total_cents, ordered_at)
SELECT 'T-1-1', customer.id, customer.owner_id, 3000, '2026-01-01 00:00:00+00'
FROM core.customers AS customer
WHERE customer.customer_number = 'T-1'
ON CONFLICT (order_number) DO NOTHING;

INSERT INTO core.order_items (order_id, line_number, sku, description, quantity, unit_price_cents)
SELECT placed.id, line.line_number, line.sku, line.sku, 1, line.unit_price_cents
FROM (VALUES (1, 'A', 1000), (2, 'B', 2000)) AS line (line_number, sku, unit_price_cents)
JOIN core.orders AS placed ON placed.order_number = 'T-1-1'
ON CONFLICT (order_id, line_number) DO NOTHING;
