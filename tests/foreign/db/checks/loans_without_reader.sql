-- Nobody can be asked for these books.
SELECT id, book_id
FROM loans
WHERE trim(reader) = '';
