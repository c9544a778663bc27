-- Orders whose total is not the sum of their lines. Orders without a line are the business of orders_without_items.sql.
SELECT placed.order_number, placed.total_cents, sum(item.quantity * item.unit_price_cents) AS items_cents
FROM core.orders AS placed
JOIN core.order_items AS item ON item.order_id = placed.id
GROUP BY placed.id, placed.order_number, placed.total_cents
HAVING placed.total_cents <> sum(item.quantity * item.unit_price_cents)
ORDER BY placed.order_number;
