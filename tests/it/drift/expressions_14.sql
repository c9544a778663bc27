-- What PostgreSQL has since 14.
CREATE STATISTICS said.together ON (status IN ('a', 'b')), (i BETWEEN 1 AND 2 AND j = 3), j FROM said.things;
CREATE FUNCTION said.standard(word varchar) RETURNS SETOF int BEGIN ATOMIC
    DELETE FROM said.things WHERE status IN ('a', 'b') AND i BETWEEN 1 AND 2 AND j = 3;
    SELECT n FROM (SELECT 1 AS n, 'a' AS kind UNION SELECT -2, 'b') numbered WHERE word IN ('a', 'b') AND (kind = 'a' AND (n = 1 AND n < 2));
END;
CREATE PROCEDURE said.standard_too() BEGIN ATOMIC UPDATE said.things SET short = 'a' WHERE short IN ('a', 'b') OR (i = 1 OR j = 2); END;
