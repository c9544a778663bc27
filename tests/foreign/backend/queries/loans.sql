--! return_book
UPDATE loans SET returned_on = :returned_on WHERE id = :loan AND returned_on IS NULL;

--! overdue
SELECT books.shelf_mark, loans.reader
FROM loans
JOIN books ON books.id = loans.book_id
WHERE loans.due_on < :today AND loans.returned_on IS NULL
ORDER BY loans.due_on;
