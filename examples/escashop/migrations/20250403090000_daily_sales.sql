-- godwit:description Sales by store, day and product; the unique index lets it be refreshed while it is read
-- migrate:up
CREATE MATERIALIZED VIEW daily_sales AS
SELECT o.store_id,
       (o.placed_at AT TIME ZONE s.time_zone)::date AS day,
       l.product_id,
       sum(l.quantity) AS quantity,
       sum(l.amount) AS amount
FROM orders AS o
JOIN stores AS s ON s.id = o.store_id
JOIN order_lines AS l ON l.order_id = o.id
WHERE o.status IN ('paid', 'fulfilled')
GROUP BY 1, 2, 3;
CREATE UNIQUE INDEX daily_sales_key ON daily_sales (store_id, day, product_id);
COMMENT ON MATERIALIZED VIEW daily_sales IS 'REFRESH MATERIALIZED VIEW CONCURRENTLY daily_sales, every night';

-- migrate:down
DROP MATERIALIZED VIEW daily_sales;
