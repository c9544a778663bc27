CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE SCHEMA shop;
CREATE SCHEMA "Odd Schema";
COMMENT ON SCHEMA shop IS 'what is sold';
CREATE DOMAIN shop.email AS text CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%');
CREATE TYPE shop.state AS ENUM ('new', 'it''s paid');
CREATE TYPE shop.money_pair AS (net numeric, gross numeric);
CREATE SEQUENCE shop.numbers INCREMENT 10 CACHE 5;
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "E mail" shop.email NOT NULL,
    code serial,
    number bigint NOT NULL DEFAULT nextval('shop.numbers'),
    legacy text,
    during tstzrange,
    CONSTRAINT customers_apart EXCLUDE USING gist (code WITH =, during WITH &&)
);
ALTER TABLE shop.customers DROP COLUMN legacy;
ALTER SEQUENCE shop.numbers OWNED BY shop.customers.number;
COMMENT ON COLUMN shop.customers."E mail" IS 'with a
line end and -- migrate:down in it';
-- In the dump before the table that it reads: the server looks into the bodies of SQL functions.
CREATE FUNCTION shop.customer_count() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM shop.customers';
CREATE FUNCTION shop.twice(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$SELECT n * 2$$;
CREATE FUNCTION shop.atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT shop.twice(id) FROM shop.customers LIMIT 1; END;
CREATE TABLE shop.orders (
    id bigint NOT NULL,
    customer bigint REFERENCES shop.customers (id),
    state shop.state NOT NULL DEFAULT 'new',
    total bigint NOT NULL DEFAULT shop.twice(1),
    placed date NOT NULL,
    doubled bigint GENERATED ALWAYS AS (total * 2) STORED,
    PRIMARY KEY (id, placed)
) PARTITION BY RANGE (placed);
CREATE TABLE shop.orders_2026 PARTITION OF shop.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE shop.orders_rest PARTITION OF shop.orders DEFAULT;
CREATE INDEX orders_state ON shop.orders (state) WHERE state <> 'new';
CREATE VIEW shop.paid AS SELECT id, shop.customer_count() AS customers FROM shop.orders WHERE state <> 'new';
CREATE MATERIALIZED VIEW shop.totals AS SELECT customer, sum(total) AS total FROM shop.orders GROUP BY customer;
CREATE VIEW shop.paid_twice AS SELECT shop.twice(id) AS id FROM shop.paid;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A marker of ours in a body:
-- migrate:up
    SET LOCAL work_mem = '8MB';
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON shop.customers FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE RULE no_delete AS ON DELETE TO shop.customers DO INSTEAD NOTHING;
ALTER TABLE shop.customers ENABLE ROW LEVEL SECURITY;
CREATE ROLE baseline_reader;
CREATE ROLE "baseline O'Writer";
CREATE POLICY mine ON shop.customers TO baseline_reader USING (id > 0);
GRANT USAGE ON SCHEMA shop TO baseline_reader;
GRANT SELECT ON shop.customers TO baseline_reader;
GRANT INSERT (code), UPDATE ON shop.customers TO "baseline O'Writer" WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION shop.twice(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shop.twice(bigint) TO baseline_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO baseline_reader;
CREATE PUBLICATION outbox FOR TABLE shop.customers WITH (publish = 'insert');
CREATE FUNCTION shop.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watcher ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION shop.watch();
CREATE STATISTICS shop.linked (dependencies) ON code, number FROM shop.customers;
CREATE COLLATION shop.plain (provider = libc, locale = 'C');
CREATE TABLE "Odd Schema"."Order" ("select" text COLLATE shop.plain UNIQUE, CHECK ("select" <> ''));
ALTER TABLE "Odd Schema"."Order" ALTER "select" SET STATISTICS 50;
CREATE TABLE public._sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL);
CREATE TABLE public.flyway_schema_history (installed_rank serial PRIMARY KEY);
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER dummy OPTIONS (host 'db');
CREATE USER MAPPING FOR baseline_reader SERVER elsewhere OPTIONS (password 'do not write me down');
