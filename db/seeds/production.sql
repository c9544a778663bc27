-- What a new production database needs before the first person signs in: the roles and the settings.
-- No users, no customers. A role's name follows this file; a setting that exists belongs to the administrators and stays.

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
    ('orders.payment_days', '30', 'Days until an invoice is due'),
    ('users.default_locale', '"en"', 'Language of a new user'),
    ('mail.sender', '"no-reply@crm.example"', 'Sender of mails to customers')
ON CONFLICT (key) DO NOTHING;
