-- How many orders have no line. The last column is called `count`: the question is answered with one row, and only a
-- number above 0 is a violation.
SELECT 'orders without a line' AS question, count(*) AS count
FROM core.orders AS placed
WHERE NOT EXISTS (SELECT FROM core.order_items AS item WHERE item.order_id = placed.id);
