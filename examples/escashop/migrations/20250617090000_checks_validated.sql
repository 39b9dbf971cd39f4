-- godwit:description Validates what was added NOT VALID; VALIDATE lets reads and writes go on
-- migrate:up
ALTER TABLE customers VALIDATE CONSTRAINT customers_phone_is_e164;
ALTER TABLE orders VALIDATE CONSTRAINT orders_refunded_at_known;
ALTER TABLE orders VALIDATE CONSTRAINT orders_channel_known;
ALTER TABLE orders VALIDATE CONSTRAINT orders_channel_given;
ALTER TABLE orders VALIDATE CONSTRAINT orders_ticket_id_fkey;

-- migrate:down
-- PostgreSQL has no way to make a constraint not valid again: it is dropped and added as it was.
ALTER TABLE orders DROP CONSTRAINT orders_ticket_id_fkey;
ALTER TABLE orders ADD CONSTRAINT orders_ticket_id_fkey
  FOREIGN KEY (ticket_id) REFERENCES queue_tickets ON DELETE SET NULL NOT VALID;
ALTER TABLE orders DROP CONSTRAINT orders_channel_given;
ALTER TABLE orders ADD CONSTRAINT orders_channel_given CHECK (channel IS NOT NULL) NOT VALID;
ALTER TABLE orders DROP CONSTRAINT orders_channel_known;
ALTER TABLE orders ADD CONSTRAINT orders_channel_known
  CHECK (channel IN ('counter', 'phone', 'web')) NOT VALID;
ALTER TABLE orders DROP CONSTRAINT orders_refunded_at_known;
ALTER TABLE orders ADD CONSTRAINT orders_refunded_at_known
  CHECK ((status = 'refunded') = (refunded_at IS NOT NULL)) NOT VALID;
ALTER TABLE customers DROP CONSTRAINT customers_phone_is_e164;
ALTER TABLE customers ADD CONSTRAINT customers_phone_is_e164
  CHECK (phone ~ '^\+[1-9][0-9]{6,14}$') NOT VALID;
