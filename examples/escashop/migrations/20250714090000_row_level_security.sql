-- godwit:description A session that says which store it works for sees the orders and tickets of that store alone
-- godwit:lock_timeout 2s
-- migrate:up
CREATE FUNCTION current_store_id() RETURNS bigint
  LANGUAGE sql
  STABLE
  PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
RETURN nullif(current_setting('escashop.store_id', true), '')::bigint;
COMMENT ON FUNCTION current_store_id() IS 'SET escashop.store_id = …; NULL when the session did not say, and then nothing is seen';

-- The owner of the tables is not subject to the policies: the application connects as another role.
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY orders_of_store ON orders
  USING (store_id = (SELECT current_store_id()))
  WITH CHECK (store_id = (SELECT current_store_id()));

ALTER TABLE queue_tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY queue_tickets_of_store ON queue_tickets
  USING (store_id = (SELECT current_store_id()));
CREATE POLICY queue_tickets_never_deleted ON queue_tickets AS RESTRICTIVE FOR DELETE
  USING (false);

-- migrate:down
DROP POLICY queue_tickets_never_deleted ON queue_tickets;
DROP POLICY queue_tickets_of_store ON queue_tickets;
ALTER TABLE queue_tickets DISABLE ROW LEVEL SECURITY;
DROP POLICY orders_of_store ON orders;
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
DROP FUNCTION current_store_id();
