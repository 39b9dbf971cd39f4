-- godwit:description What the office reads: the balance of orders and who waits for how long
-- migrate:up
CREATE VIEW order_balances AS
SELECT o.id, o.reference, o.store_id, o.customer_id, o.status, o.currency, o.placed_at, o.total_amount,
       coalesce(p.paid, 0) AS paid,
       o.total_amount - coalesce(p.paid, 0) AS open_amount
FROM orders AS o
LEFT JOIN LATERAL (SELECT sum(amount) AS paid FROM payments WHERE payments.order_id = o.id) AS p ON true
WHERE o.status <> 'draft';
COMMENT ON VIEW order_balances IS 'open_amount below zero: more was paid than ordered';

CREATE VIEW waiting_room WITH (security_barrier) AS
SELECT t.store_id, t.id AS ticket_id, t.number, t.priority, t.taken_at,
       row_number() OVER (PARTITION BY t.store_id ORDER BY t.priority DESC, t.id) AS place
FROM queue_tickets AS t
WHERE t.status = 'waiting';

-- migrate:down
DROP VIEW waiting_room;
DROP VIEW order_balances;
