-- Notes about something that is gone. One column points into two tables, so no foreign key can watch it.
SELECT note.id, note.subject_kind, note.subject_id
FROM core.notes AS note
WHERE (note.subject_kind = 'customer' AND NOT EXISTS (SELECT FROM core.customers AS customer WHERE customer.id = note.subject_id))
    OR (note.subject_kind = 'order' AND NOT EXISTS (SELECT FROM core.orders AS placed WHERE placed.id = note.subject_id))
ORDER BY note.id;
