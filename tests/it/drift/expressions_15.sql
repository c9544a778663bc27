-- What PostgreSQL has since 15.
ALTER TABLE said.left_side REPLICA IDENTITY FULL;
CREATE PUBLICATION filtered FOR TABLE said.left_side WHERE (a BETWEEN 1 AND 9 AND a <> 5 AND (a = 1 OR (a = 2 OR a = 3))),
    said.things (id, status) WHERE (status = 'a' OR (status = 'b' OR id BETWEEN 1 AND 2));
