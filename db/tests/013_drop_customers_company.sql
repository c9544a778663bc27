-- The rollback brings the old column back with the names that were given since.

-- test:before
INSERT INTO core.customers (customer_number, company) VALUES ('C-1', 'Müller & Söhne GmbH');
UPDATE core.customers SET legal_name = 'Müller AG';

-- test:after
INSERT INTO core.customers (customer_number) VALUES ('C-2');
-- expect error 23502

-- test:rolled-back
SELECT company, legal_name FROM core.customers;
-- expect
-- company   | legal_name
-- Müller AG | Müller AG
