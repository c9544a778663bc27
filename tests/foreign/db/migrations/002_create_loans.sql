-- Who has which book, and until when. A loan without `returned_on` is open.

-- migrate:up
-- migrate:allow foreign-key-in-create-table nobody writes to books before the library opens
CREATE TABLE loans (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_id bigint NOT NULL REFERENCES books,
    reader text NOT NULL,
    due_on date NOT NULL,
    returned_on date
);

-- migrate:down
DROP TABLE loans;
