-- godwit:description Order references are unique, tickets find their order, turnover is answered from an index alone
-- godwit:lock_timeout 2s
-- migrate:up
CREATE UNIQUE INDEX CONCURRENTLY orders_reference_unique ON orders (reference);
CREATE INDEX CONCURRENTLY orders_ticket ON orders (ticket_id) WHERE ticket_id IS NOT NULL;
-- The index is there already: this takes its strong lock for a moment only.
ALTER TABLE orders ADD CONSTRAINT orders_reference_unique UNIQUE USING INDEX orders_reference_unique;

-- The new index does all that the old one does, so the old one goes once the new one is there.
CREATE INDEX CONCURRENTLY orders_store_turnover ON orders (store_id, placed_at) INCLUDE (status, total_amount);
DROP INDEX CONCURRENTLY orders_store_placed_at;

-- migrate:down
CREATE INDEX CONCURRENTLY orders_store_placed_at ON orders (store_id, placed_at);
DROP INDEX CONCURRENTLY orders_store_turnover;
ALTER TABLE orders DROP CONSTRAINT orders_reference_unique;
DROP INDEX CONCURRENTLY orders_ticket;
