-- godwit:description NOT NULL without a scan: the valid check constraint is the proof, and not needed after
-- godwit:lock_timeout 2s
-- migrate:up
ALTER TABLE orders ALTER COLUMN channel SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_channel_given;

-- migrate:down
ALTER TABLE orders ADD CONSTRAINT orders_channel_given CHECK (channel IS NOT NULL);
ALTER TABLE orders ALTER COLUMN channel DROP NOT NULL;
