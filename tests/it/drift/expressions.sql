-- Expressions whose text changes when they are dumped and restored, in every kind of object that can hold one.
CREATE SCHEMA said;
CREATE DOMAIN said.tags AS text[];
CREATE DOMAIN said.status AS varchar(10)
    CONSTRAINT known CHECK (VALUE IN ('a', 'b', 'c'))
    CONSTRAINT between CHECK (VALUE BETWEEN 'a' AND 'x' AND VALUE <> 'q');
CREATE FUNCTION said.any(said.tags) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION said.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION said.sum(VARIADIC numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 1.0';
CREATE TABLE said.left_side (a int);
CREATE TABLE said.things (
    id int,
    status varchar NOT NULL CONSTRAINT known CHECK (status IN ('a', 'b')),
    short varchar(5) CONSTRAINT unknown CHECK (short NOT IN ('x', 'y') AND short <> ALL (ARRAY[status, 'z'])),
    domained said.status CONSTRAINT domained CHECK (domained IN ('a', 'b') OR domained BETWEEN 'x' AND 'z' OR domained = 'q'),
    i int CONSTRAINT ranges CHECK (i BETWEEN 1 AND 9 AND i <> 5 AND (i < 8 AND (i > 2 AND i <> 6))),
    j int CONSTRAINT outside CHECK (j NOT BETWEEN 1 AND 9 OR j = 5 OR j BETWEEN SYMMETRIC 7 AND i),
    price numeric CONSTRAINT prices CHECK (price = ANY (ARRAY[1, 2]) AND said.sum(1, i, 2.5) > 0),
    kinds text[] DEFAULT ARRAY['a', 'b']::varchar[] CONSTRAINT listed CHECK (said.any(ARRAY[status, short])),
    data jsonb CONSTRAINT keyed CHECK (data ?& ARRAY[status, short] AND (data ->> 'a')::varchar IN ('a', 'b')),
    pair boolean GENERATED ALWAYS AS ((i, j) IN ((1, 2), (3, 4), (5, 6)) AND (status IN ('a', 'b') AND i = 1)) STORED,
    is_known boolean DEFAULT (1 BETWEEN 0 AND 2 AND 'a'::varchar IN ('a', 'b')),
    span int4range,
    CONSTRAINT apart EXCLUDE USING gist (span WITH &&) WHERE (status IN ('a', 'b') AND i BETWEEN 1 AND 2 AND j = 1),
    CONSTRAINT either CHECK (status IN (short, 'a', domained) AND ((i = 1 OR j = 2) OR (i = 3 OR j = 4)))
);
CREATE INDEX open ON said.things (i) WHERE status IN ('a', 'b') AND i BETWEEN 1 AND 9 AND j > 2;
CREATE INDEX computed ON said.things ((status IN ('a', 'b')), lower(status), (i BETWEEN 1 AND 2 AND j = 3));
CREATE POLICY own ON said.things
    USING (status IN ('a', 'b') AND (i = 1 AND j = 2) AND status = CURRENT_USER)
    WITH CHECK (i BETWEEN 1 AND 2 AND status IN ('a', 'b'));
CREATE TRIGGER changed BEFORE UPDATE ON said.things FOR EACH ROW
    WHEN (new.status IN ('a', 'b') AND old.i BETWEEN 1 AND 2 AND (old.j = 1 OR (new.j = 2 OR new.i = 3))) EXECUTE FUNCTION said.touch();
CREATE RULE noted AS ON UPDATE TO said.things WHERE old.status IN ('a', 'b') AND new.i BETWEEN 1 AND 2 AND new.j = 3
    DO ALSO (DELETE FROM said.things WHERE status IN ('x', 'y'); INSERT INTO said.left_side VALUES (-1), (2));
CREATE VIEW said.seen AS
    WITH numbered AS (SELECT 1 AS n, 'a' AS kind, NULL AS nothing UNION ALL SELECT -2, 'b', NULL UNION ALL SELECT 10000000000, NULL, 'c')
    SELECT t.status, CASE WHEN t.status IN ('a', 'b') THEN 'x' WHEN i BETWEEN 1 AND 2 AND j = 3 THEN short END AS word,
        count(*) FILTER (WHERE t.short IN ('a', 'b')) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS counted
    FROM said.things t JOIN numbered ON t.status = numbered.kind AND (i = n AND (j = n OR i BETWEEN 1 AND 2))
    WHERE EXISTS (SELECT NULL FROM said.things u WHERE u.status IN ('a', 'b')) AND t.short IN (SELECT 'a' UNION SELECT NULL);
CREATE TABLE said.right_side (b int);
CREATE VIEW said.joined AS SELECT a, b FROM said.left_side NATURAL LEFT JOIN said.right_side;
CREATE MATERIALIZED VIEW said.kept AS SELECT id FROM said.things WHERE status NOT IN ('a', 'b') OR (i, j) <> (1, 2) OR i = 3 WITH NO DATA;
CREATE FUNCTION said.choose(word varchar DEFAULT CASE WHEN 'a'::varchar IN ('a', 'b') THEN 'x' END, ready boolean DEFAULT (1 BETWEEN 0 AND 2 AND true))
    RETURNS boolean LANGUAGE sql AS $$ SELECT word IN ('a', 'b') AND ((ready AND ready) AND true) $$;
CREATE TABLE said.parted (status varchar, i int) PARTITION BY LIST ((status IN ('a', 'b')));
CREATE TABLE said.parted_true PARTITION OF said.parted FOR VALUES IN (true);
CREATE TABLE said.parted_rest PARTITION OF said.parted DEFAULT PARTITION BY RANGE (i);
CREATE INDEX ON ONLY said.parted (i);
CREATE TABLE said.place (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE said.place_1 PARTITION OF said.place FOR VALUES FROM (1) TO (10);
CREATE TABLE said.visit (place int, day date NOT NULL, CONSTRAINT visited FOREIGN KEY (place) REFERENCES said.place) PARTITION BY RANGE (day);
CREATE TABLE said.visit_1 (place int CONSTRAINT own_name REFERENCES said.place, day date NOT NULL);
ALTER TABLE said.visit ATTACH PARTITION said.visit_1 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- Columns that came to the parent after the child was made, and a child that was made before.
CREATE TABLE said.parent (a int, status varchar CHECK (status IN ('a', 'b')));
CREATE TABLE said.child (own int) INHERITS (said.parent);
ALTER TABLE said.parent ADD COLUMN later int DEFAULT 3 NOT NULL;
CREATE TABLE said.adopted (own int, status varchar CHECK (status IN ('a', 'b')), later int DEFAULT 4 NOT NULL, a int);
ALTER TABLE said.adopted ADD CONSTRAINT parent_status_check CHECK (status IN ('a', 'b')), INHERIT said.parent;
CREATE TABLE said.grandchild (last int, later int DEFAULT 5) INHERITS (said.child, said.adopted);
