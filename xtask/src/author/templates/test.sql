-- {{purpose}}: the rows before the migration, and what is true of them afterwards.
-- `cargo xtask verify` runs it: before, up, after, down, rolled back, up again, after. Remove the dashes from what you need.

-- The rows that are there, the odd ones too: NULL, empty, twice the same, in the old form.
-- -- test:before
-- INSERT INTO core.users (email) VALUES ('ada@example.com'), ('');

-- test:after
-- A query must return no row.
SELECT 1 WHERE false;

-- What must be there follows the query.
-- SELECT email, locale FROM core.users ORDER BY email;
-- -- expect
-- -- email           | locale
-- -- ada@example.com | en

-- INSERT INTO core.users (email, locale) VALUES ('b@example.com', NULL);
-- -- expect error 23502

-- -- test:rolled-back
-- SELECT email FROM core.users WHERE email IS NULL;
