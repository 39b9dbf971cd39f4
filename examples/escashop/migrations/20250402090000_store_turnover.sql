-- godwit:description Turnover of a store between two days of its own calendar; the body is parsed when it is created
-- migrate:up
CREATE FUNCTION store_turnover(of_store bigint, from_day date, to_day date)
  RETURNS TABLE (day date, orders bigint, turnover numeric)
  LANGUAGE sql
  STABLE
  PARALLEL SAFE
BEGIN ATOMIC
  SELECT (o.placed_at AT TIME ZONE s.time_zone)::date AS day, count(*), sum(o.total_amount)
  FROM stores AS s
  JOIN orders AS o ON o.store_id = s.id
  WHERE s.id = of_store
    AND o.status IN ('paid', 'fulfilled')
    AND o.placed_at >= from_day::timestamp AT TIME ZONE s.time_zone
    AND o.placed_at < (to_day + 1)::timestamp AT TIME ZONE s.time_zone
  GROUP BY 1
  ORDER BY 1;
END;
COMMENT ON FUNCTION store_turnover(bigint, date, date) IS 'Both days included; days without an order are left out';

-- migrate:down
DROP FUNCTION store_turnover(bigint, date, date);
