-- Two rows for one person or one company: equal but for upper and lower case, blanks or dots.
SELECT lower(email) AS email, array_agg(id ORDER BY id) AS user_ids
FROM core.users
GROUP BY lower(email)
HAVING count(*) > 1
ORDER BY 1;

SELECT upper(regexp_replace(vat_number, '[^0-9A-Za-z]', '', 'g')) AS vat_number, array_agg(customer_number ORDER BY customer_number) AS customers
FROM core.customers
WHERE vat_number IS NOT NULL
GROUP BY 1
HAVING count(*) > 1
ORDER BY 1;
