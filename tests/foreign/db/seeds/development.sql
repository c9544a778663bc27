INSERT INTO books (shelf_mark, title) VALUES
    ('R-1', 'A Field Guide to Ferns'),
    ('R-2', 'Bread at Home'),
    ('R-3', 'Bridges and How They Stand')
ON CONFLICT (shelf_mark) DO NOTHING;

INSERT INTO loans (book_id, reader, due_on)
SELECT id, 'Åsa', '2026-03-01' FROM books WHERE shelf_mark = 'R-2'
ON CONFLICT DO NOTHING;
