-- godwit:description One line a store: who waits, what is open, what was sold today against the target
-- Edit this file and run `godwit up`: the view is replaced. To take a column away, put DROP VIEW IF EXISTS before it.
CREATE OR REPLACE VIEW store_overview AS
SELECT s.id AS store_id,
       s.code,
       s.name,
       s.city,
       q.waiting,
       q.serving,
       q.no_shows_today,
       o.open_orders,
       o.sold_today,
       s.daily_target,
       round(100 * o.sold_today / s.daily_target, 1) AS target_reached_percent
FROM stores AS s
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE s.time_zone)::date AS today) AS d
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE t.status = 'waiting') AS waiting,
         count(*) FILTER (WHERE t.status = 'serving') AS serving,
         count(*) FILTER (WHERE t.status = 'no_show' AND t.business_day = d.today) AS no_shows_today
  FROM queue_tickets AS t
  WHERE t.store_id = s.id
) AS q
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE r.status IN ('placed', 'paid')) AS open_orders,
         coalesce(sum(r.total_amount) FILTER (
           WHERE r.status IN ('paid', 'fulfilled') AND (r.placed_at AT TIME ZONE s.time_zone)::date = d.today
         ), 0) AS sold_today
  FROM orders AS r
  WHERE r.store_id = s.id
) AS o
WHERE s.closed_on IS NULL;

COMMENT ON VIEW store_overview IS 'Read by the wall screen of the office';
