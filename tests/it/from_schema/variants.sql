-- What the changes of variants.rs change.
CREATE SCHEMA w;
CREATE TYPE w.state AS ENUM ('new', 'open', 'closed');
CREATE DOMAIN w.state_d AS w.state DEFAULT 'new' CONSTRAINT known CHECK (VALUE <> 'closed');
CREATE TYPE w.pair AS (a w.state, b text);
CREATE TYPE w.span AS RANGE (subtype = int);
CREATE TABLE w.items (
    id int PRIMARY KEY,
    state w.state NOT NULL DEFAULT 'new',
    states w.state[] DEFAULT '{new}',
    d w.state_d,
    p w.pair,
    ps w.pair[],
    span w.span,
    note text
);
CREATE INDEX items_open ON w.items (id) WHERE state = 'open';
ALTER TABLE w.items ADD CONSTRAINT items_state CHECK (state <> 'closed' OR note IS NOT NULL);
CREATE VIEW w.open_items AS SELECT id, state, d FROM w.items WHERE state = 'open';
COMMENT ON VIEW w.open_items IS 'what is open';
CREATE FUNCTION w.is_open(s w.state) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT s = 'open' $$;
CREATE FUNCTION w.number(s w.state) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT length(s::text) $$;
CREATE CAST (w.state AS int) WITH FUNCTION w.number(w.state);
CREATE FUNCTION w.same(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a = b';
CREATE OPERATOR w.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = w.same);
CREATE AGGREGATE w.everything(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
CREATE TABLE w.kinds (id int PRIMARY KEY);
CREATE TABLE w.log (
    at date NOT NULL,
    kind int NOT NULL CONSTRAINT log_kind_fkey REFERENCES w.kinds,
    note text CONSTRAINT log_note CHECK (note <> ''),
    CONSTRAINT log_pkey PRIMARY KEY (at, kind)
) PARTITION BY RANGE (at);
CREATE TABLE w.log_a PARTITION OF w.log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE w.log_b PARTITION OF w.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE w.log_b1 PARTITION OF w.log_b FOR VALUES IN (1);
CREATE TABLE w.log_free (
    at date NOT NULL,
    kind int NOT NULL,
    note text CONSTRAINT log_note CHECK (note <> ''),
    CONSTRAINT log_free_pkey PRIMARY KEY (at, kind)
);
CREATE FUNCTION w.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE INSERT ON w.log FOR EACH ROW EXECUTE FUNCTION w.touch();
CREATE TABLE w.base (a int CONSTRAINT positive CHECK (a > 0), b text);
CREATE TABLE w.derived (c int) INHERITS (w.base);
CREATE FOREIGN DATA WRAPPER w_wrapper OPTIONS (debug 'no');
CREATE SERVER w_server TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER w_wrapper OPTIONS (host 'a''b, c=d');
CREATE USER MAPPING FOR PUBLIC SERVER w_server OPTIONS (password 'wrapped-secret');
CREATE FOREIGN TABLE w.far (id int OPTIONS (column_name 'key'), b text) SERVER w_server OPTIONS (table_name 'there');
CREATE VIEW w.seen AS SELECT id FROM w.far;
CREATE PUBLICATION w_news FOR TABLE w.items;
