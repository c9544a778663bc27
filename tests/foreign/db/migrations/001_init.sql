-- The books of the library, one row for each copy.

-- migrate:up
CREATE TABLE books (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shelf_mark text NOT NULL UNIQUE,
    title text NOT NULL
);

-- migrate:down
DROP TABLE books;
