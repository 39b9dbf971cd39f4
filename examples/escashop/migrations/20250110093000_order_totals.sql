-- godwit:description The total of an order follows its lines, computed once per statement and not once per line
-- godwit:lock_timeout 2s
-- migrate:up
ALTER TABLE orders ADD COLUMN total_amount numeric(14, 2) NOT NULL DEFAULT 0;

CREATE FUNCTION refresh_order_totals() RETURNS trigger
  LANGUAGE plpgsql
  SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  touched bigint[];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    SELECT array_agg(DISTINCT l.order_id) INTO touched
    FROM (SELECT order_id FROM old_lines UNION ALL SELECT order_id FROM changed_lines) AS l;
  ELSE
    SELECT array_agg(DISTINCT l.order_id) INTO touched FROM changed_lines AS l;
  END IF;

  UPDATE orders AS o
  SET total_amount = coalesce((SELECT sum(l.amount) FROM order_lines AS l WHERE l.order_id = o.id), 0)
  WHERE o.id = ANY (touched);
  RETURN NULL;
END;
$$;

-- PostgreSQL allows transition tables on triggers of one event only, so there are three.
CREATE TRIGGER order_lines_inserted AFTER INSERT ON order_lines
  REFERENCING NEW TABLE AS changed_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refresh_order_totals();
CREATE TRIGGER order_lines_updated AFTER UPDATE ON order_lines
  REFERENCING OLD TABLE AS old_lines NEW TABLE AS changed_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refresh_order_totals();
CREATE TRIGGER order_lines_deleted AFTER DELETE ON order_lines
  REFERENCING OLD TABLE AS changed_lines
  FOR EACH STATEMENT EXECUTE FUNCTION refresh_order_totals();

UPDATE orders AS o
SET total_amount = t.amount
FROM (SELECT order_id, sum(amount) AS amount FROM order_lines GROUP BY order_id) AS t
WHERE t.order_id = o.id;

-- migrate:down
DROP TRIGGER order_lines_deleted ON order_lines;
DROP TRIGGER order_lines_updated ON order_lines;
DROP TRIGGER order_lines_inserted ON order_lines;
DROP FUNCTION refresh_order_totals();
ALTER TABLE orders DROP COLUMN total_amount;
