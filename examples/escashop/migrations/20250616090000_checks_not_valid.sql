-- godwit:description Rules that hold for every new row at once; the rows that exist are checked by the next file
-- godwit:lock_timeout 2s
-- migrate:up
ALTER TABLE customers ADD CONSTRAINT customers_phone_is_e164
  CHECK (phone ~ '^\+[1-9][0-9]{6,14}$') NOT VALID;

ALTER TABLE orders ADD COLUMN channel text DEFAULT 'counter';
ALTER TABLE orders ADD CONSTRAINT orders_channel_known
  CHECK (channel IN ('counter', 'phone', 'web')) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_channel_given CHECK (channel IS NOT NULL) NOT VALID;

-- The customer whose ticket led to an order: a foreign key that takes its short lock now and reads the tables later.
ALTER TABLE orders ADD COLUMN ticket_id bigint;
ALTER TABLE orders ADD CONSTRAINT orders_ticket_id_fkey
  FOREIGN KEY (ticket_id) REFERENCES queue_tickets ON DELETE SET NULL NOT VALID;

-- migrate:down
ALTER TABLE orders DROP CONSTRAINT orders_ticket_id_fkey;
ALTER TABLE orders DROP COLUMN ticket_id;
ALTER TABLE orders DROP CONSTRAINT orders_channel_given;
ALTER TABLE orders DROP CONSTRAINT orders_channel_known;
ALTER TABLE orders DROP COLUMN channel;
ALTER TABLE customers DROP CONSTRAINT customers_phone_is_e164;
