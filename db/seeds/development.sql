-- A small company to click through: people of every role, customers with and without orders, all states of an order.
-- Rows are found by what names them (an e-mail address, a number), never by id: the file also runs on a database in use.
-- Dates are written out. With now() a second run would not give the same.

INSERT INTO core.roles (code, name) VALUES
    ('admin', 'Administrator'),
    ('sales', 'Sales'),
    ('sales_lead', 'Head of sales'),
    ('support', 'Support'),
    ('warehouse', 'Warehouse')
ON CONFLICT (code) DO UPDATE SET name = excluded.name
WHERE roles.name IS DISTINCT FROM excluded.name;

INSERT INTO core.settings (key, value, description) VALUES
    ('orders.default_currency', '"EUR"', 'Currency of a new order'),
    ('orders.payment_days', '14', 'Days until an invoice is due'),
    ('users.default_locale', '"en"', 'Language of a new user'),
    ('mail.sender', '"dev@crm.example"', 'Sender of mails to customers')
ON CONFLICT (key) DO UPDATE SET value = excluded.value, description = excluded.description
WHERE (settings.value, settings.description) IS DISTINCT FROM (excluded.value, excluded.description);

INSERT INTO core.users (email, full_name, is_active, locale) VALUES
    ('ada.berger@crm.example', 'Ada Berger', true, 'de'),
    ('jun.tanaka@crm.example', '田中 純', true, 'ja'),
    ('lena.okafor@crm.example', 'Lena Okafor', true, 'en'),
    ('marc.lefevre@crm.example', 'Marc Lefèvre', true, 'fr'),
    ('nils.aberg@crm.example', 'Nils Åberg', true, 'sv'),
    ('zoe.martin@crm.example', 'Zoé Martin', false, 'fr')
ON CONFLICT (email) DO UPDATE SET full_name = excluded.full_name, is_active = excluded.is_active, locale = excluded.locale
WHERE (users.full_name, users.is_active, users.locale) IS DISTINCT FROM (excluded.full_name, excluded.is_active, excluded.locale);

INSERT INTO core.user_roles (user_id, role_code)
SELECT staff.id, wanted.role_code
FROM (VALUES
    ('ada.berger@crm.example', 'admin'),
    ('lena.okafor@crm.example', 'sales_lead'),
    ('lena.okafor@crm.example', 'sales'),
    ('marc.lefevre@crm.example', 'sales'),
    ('jun.tanaka@crm.example', 'support'),
    ('nils.aberg@crm.example', 'warehouse')
) AS wanted (email, role_code)
JOIN core.users AS staff ON staff.email = wanted.email
ON CONFLICT (user_id, role_code) DO NOTHING;

INSERT INTO core.customers (customer_number, legal_name, email, vat_number, owner_id)
SELECT wanted.customer_number, wanted.legal_name, wanted.email, wanted.vat_number, staff.id
FROM (VALUES
    ('C-1001', 'Müller & Söhne GmbH', 'einkauf@mueller-soehne.example', 'DE811111111', 'marc.lefevre@crm.example'),
    ('C-1002', 'Brasserie de l''Étoile SARL', 'contact@etoile.example', 'FR40222222222', 'marc.lefevre@crm.example'),
    ('C-1003', 'Northwind Outfitters Ltd', 'orders@northwind.example', 'GB333333333', 'lena.okafor@crm.example'),
    ('C-1004', '株式会社さくら', 'info@sakura.example', NULL, 'lena.okafor@crm.example'),
    ('C-1005', 'Fjällräven Café AB', NULL, 'SE555555555501', NULL)
) AS wanted (customer_number, legal_name, email, vat_number, owner_email)
LEFT JOIN core.users AS staff ON staff.email = wanted.owner_email
ON CONFLICT (customer_number) DO UPDATE
SET legal_name = excluded.legal_name, email = excluded.email, vat_number = excluded.vat_number, owner_id = excluded.owner_id
WHERE (customers.legal_name, customers.email, customers.vat_number, customers.owner_id)
    IS DISTINCT FROM (excluded.legal_name, excluded.email, excluded.vat_number, excluded.owner_id);

INSERT INTO core.orders (order_number, customer_id, assigned_to, status, priority, currency, total_cents, ordered_at)
SELECT
    wanted.order_number,
    customer.id,
    staff.id,
    wanted.status,
    wanted.priority::core.order_priority,
    wanted.currency,
    wanted.total_cents,
    wanted.ordered_at::timestamp with time zone
FROM (VALUES
    ('2026-0001', 'C-1001', 'nils.aberg@crm.example', 'paid', 'normal', 'EUR', 129700, '2026-09-14 08:12:00+00'),
    ('2026-0002', 'C-1001', 'nils.aberg@crm.example', 'open', 'urgent', 'EUR', 45900, '2026-11-03 15:40:00+00'),
    ('2026-0003', 'C-1002', 'nils.aberg@crm.example', 'shipped', 'high', 'EUR', 8750, '2026-10-22 11:05:00+00'),
    ('2026-0004', 'C-1003', NULL, 'open', 'low', 'GBP', 22800, '2026-11-10 09:30:00+00'),
    ('2026-0005', 'C-1003', NULL, 'cancelled', 'normal', 'GBP', 6300, '2026-10-01 17:55:00+00')
) AS wanted (order_number, customer_number, assignee_email, status, priority, currency, total_cents, ordered_at)
JOIN core.customers AS customer ON customer.customer_number = wanted.customer_number
LEFT JOIN core.users AS staff ON staff.email = wanted.assignee_email
ON CONFLICT (order_number) DO NOTHING;

INSERT INTO core.order_items (order_id, line_number, sku, description, quantity, unit_price_cents)
SELECT placed.id, wanted.line_number, wanted.sku, wanted.description, wanted.quantity, wanted.unit_price_cents
FROM (VALUES
    ('2026-0001', 1, 'CHAIR-OAK', 'Stuhl, Eiche geölt', 10, 9990),
    ('2026-0001', 2, 'TABLE-OAK', 'Tisch, Eiche geölt', 1, 29800),
    ('2026-0002', 1, 'LAMP-BRASS', 'Hängelampe, Messing', 3, 15300),
    ('2026-0003', 1, 'CUP-WHITE', 'Tasse à café, blanche', 50, 175),
    ('2026-0004', 1, 'TENT-2P', 'Tent for two', 2, 11400),
    ('2026-0005', 1, 'STOVE-GAS', 'Camping stove', 1, 6300)
) AS wanted (order_number, line_number, sku, description, quantity, unit_price_cents)
JOIN core.orders AS placed ON placed.order_number = wanted.order_number
ON CONFLICT (order_id, line_number) DO NOTHING;

-- Notes have no key that names them, so a note is left out where the same one is there.
INSERT INTO core.notes (subject_kind, subject_id, body, created_at)
SELECT 'customer', customer.id, wanted.body, '2026-10-05 10:00:00+00'
FROM (VALUES
    ('C-1001', 'Orders every quarter; call before the trade fair.'),
    ('C-1004', 'お問い合わせは英語でも可。')
) AS wanted (customer_number, body)
JOIN core.customers AS customer ON customer.customer_number = wanted.customer_number
WHERE NOT EXISTS (
    SELECT FROM core.notes AS note
    WHERE note.subject_kind = 'customer' AND note.subject_id = customer.id AND note.body = wanted.body
);

INSERT INTO core.audit_events (id, occurred_at, actor_id, action, subject, detail)
SELECT
    wanted.id::uuid,
    wanted.occurred_at::timestamp with time zone,
    staff.id,
    wanted.action,
    wanted.subject,
    wanted.detail::jsonb
FROM (VALUES
    ('8a1c6f0e-6d0b-4c58-9a55-0b7a1f1d0001', '2026-10-22 12:00:00+00', 'nils.aberg@crm.example', 'ship', 'order 2026-0003', '{"parcels": 2}'),
    ('8a1c6f0e-6d0b-4c58-9a55-0b7a1f1d0002', '2026-11-03 15:41:00+00', 'lena.okafor@crm.example', 'set priority', 'order 2026-0002', '{"to": "urgent"}'),
    ('8a1c6f0e-6d0b-4c58-9a55-0b7a1f1d0003', '2026-12-01 00:00:00+00', NULL, 'close month', 'orders', '{}')
) AS wanted (id, occurred_at, actor_email, action, subject, detail)
LEFT JOIN core.users AS staff ON staff.email = wanted.actor_email
ON CONFLICT (id, occurred_at) DO NOTHING;
