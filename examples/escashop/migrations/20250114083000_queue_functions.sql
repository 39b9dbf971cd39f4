-- godwit:description Take a ticket, call the next one without waiting for other counters, tell the screens
-- migrate:up
CREATE FUNCTION take_ticket(at_store bigint, for_customer bigint DEFAULT NULL, has_priority boolean DEFAULT false)
  RETURNS queue_tickets
  LANGUAGE plpgsql
  SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
  today date;
  next_number integer;
  ticket queue_tickets;
BEGIN
  SELECT (now() AT TIME ZONE s.time_zone)::date INTO today FROM stores AS s WHERE s.id = at_store;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no store %', at_store USING ERRCODE = 'no_data_found';
  END IF;

  INSERT INTO queue_days AS d (store_id, business_day, last_number)
  VALUES (at_store, today, 1)
  ON CONFLICT (store_id, business_day) DO UPDATE SET last_number = d.last_number + 1
  RETURNING d.last_number INTO next_number;

  INSERT INTO queue_tickets (store_id, business_day, number, customer_id, priority)
  VALUES (at_store, today, next_number, for_customer, has_priority)
  RETURNING * INTO ticket;
  RETURN ticket;
END;
$$;

CREATE FUNCTION call_next_ticket(at_store bigint, at_counter bigint)
  RETURNS SETOF queue_tickets
  LANGUAGE sql
  ROWS 1
  SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH next_in_line AS (
    SELECT t.id
    FROM queue_tickets AS t
    WHERE t.store_id = at_store AND t.status = 'waiting'
    ORDER BY t.priority DESC, t.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
  )
  UPDATE queue_tickets AS t
  SET status = 'serving', counter_id = at_counter, called_at = now()
  FROM next_in_line AS n
  WHERE t.id = n.id
  RETURNING t.*;
$$;
COMMENT ON FUNCTION call_next_ticket(bigint, bigint) IS
  'No row when nobody waits. Two counters that call at once get two tickets and never wait for each other.';

CREATE FUNCTION announce_ticket() RETURNS trigger
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'INSERT' OR NEW.status IS DISTINCT FROM OLD.status THEN
    PERFORM pg_notify('escashop_queue', json_build_object(
      'store', NEW.store_id, 'number', NEW.number, 'status', NEW.status, 'counter', NEW.counter_id)::text);
  END IF;
  RETURN NULL;
END;
$$;
CREATE TRIGGER queue_tickets_announce AFTER INSERT OR UPDATE ON queue_tickets
  FOR EACH ROW EXECUTE FUNCTION announce_ticket();

-- migrate:down
DROP TRIGGER queue_tickets_announce ON queue_tickets;
DROP FUNCTION announce_ticket();
DROP FUNCTION call_next_ticket(bigint, bigint);
DROP FUNCTION take_ticket(bigint, bigint, boolean);
