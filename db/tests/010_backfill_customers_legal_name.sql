-- A customer from before the trigger, and one from after it: both have a legal name in the end, and no name changes.

-- test:before
ALTER TABLE core.customers DISABLE TRIGGER customers_sync_legal_name;
INSERT INTO core.customers (customer_number, company) VALUES ('C-1', 'Müller & Söhne GmbH');
ALTER TABLE core.customers ENABLE TRIGGER customers_sync_legal_name;
INSERT INTO core.customers (customer_number, company) VALUES ('C-2', 'Ada''s Engines');

-- test:after
SELECT customer_number FROM core.customers WHERE legal_name IS DISTINCT FROM company;

SELECT customer_number, legal_name FROM core.customers ORDER BY customer_number;
-- expect
-- customer_number | legal_name
-- C-1             | Müller & Söhne GmbH
-- C-2             | 'Ada''s Engines'
