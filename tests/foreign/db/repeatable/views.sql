-- What the backend reads.

CREATE OR REPLACE VIEW open_loans AS
SELECT books.shelf_mark, books.title, loans.reader, loans.due_on
FROM loans
JOIN books ON books.id = loans.book_id
WHERE loans.returned_on IS NULL;
