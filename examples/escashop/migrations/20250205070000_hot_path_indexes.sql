-- godwit:description Indexes for the queries of the counter screens, built while the shops are open
-- migrate:up
-- partial: what is still to be handed out
CREATE INDEX CONCURRENTLY orders_open ON orders (store_id, placed_at) WHERE status IN ('placed', 'paid');
-- covering: the history of a customer is answered from the index alone
CREATE INDEX CONCURRENTLY orders_of_customer ON orders (customer_id, placed_at DESC) INCLUDE (status, total_amount)
  WHERE customer_id IS NOT NULL;
-- expression: names are looked up as they are typed
CREATE INDEX CONCURRENTLY customers_name_prefix
  ON customers (lower(family_name) text_pattern_ops, lower(given_name) text_pattern_ops);
CREATE INDEX CONCURRENTLY products_search ON products USING gin (search);

-- Most orders of a store have one status: without this the planner multiplies the two selectivities.
CREATE STATISTICS orders_store_and_status (dependencies, mcv) ON store_id, status FROM orders;
ANALYZE orders;

-- migrate:down
DROP STATISTICS orders_store_and_status;
DROP INDEX CONCURRENTLY products_search;
DROP INDEX CONCURRENTLY customers_name_prefix;
DROP INDEX CONCURRENTLY orders_of_customer;
DROP INDEX CONCURRENTLY orders_open;
