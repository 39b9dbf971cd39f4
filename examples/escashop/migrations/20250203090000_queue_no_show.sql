-- godwit:description Tickets whose owner did not come are told from cancelled ones, and counted
-- godwit:lock_timeout 2s
-- migrate:up
ALTER TYPE queue_status ADD VALUE 'no_show' BEFORE 'cancelled';

ALTER TABLE queue_tickets ADD COLUMN close_note text;
CREATE INDEX CONCURRENTLY queue_tickets_no_show ON queue_tickets (store_id, business_day) WHERE status = 'no_show';

-- migrate:down
DROP INDEX CONCURRENTLY queue_tickets_no_show;

-- Before this file a ticket nobody answered was a cancelled one, so that is what they become again.
LOCK TABLE queue_tickets IN ACCESS EXCLUSIVE MODE;
UPDATE queue_tickets SET status = 'cancelled' WHERE status = 'no_show';
ALTER TABLE queue_tickets DROP COLUMN close_note;

ALTER TABLE queue_tickets DROP CONSTRAINT queue_tickets_served_somewhere;
DROP INDEX queue_tickets_waiting;
ALTER TYPE queue_status RENAME TO queue_status_with_no_show;
CREATE TYPE queue_status AS ENUM ('waiting', 'serving', 'done', 'cancelled');
ALTER TABLE queue_tickets
  ALTER COLUMN status DROP DEFAULT,
  ALTER COLUMN status TYPE queue_status USING status::text::queue_status,
  ALTER COLUMN status SET DEFAULT 'waiting';
DROP TYPE queue_status_with_no_show;
CREATE INDEX queue_tickets_waiting ON queue_tickets (store_id, priority DESC, id)
  INCLUDE (number) WHERE status = 'waiting';
COMMENT ON INDEX queue_tickets_waiting IS 'Small whatever the history grows to: only who is waiting is in it';
ALTER TABLE queue_tickets ADD CONSTRAINT queue_tickets_served_somewhere
  CHECK (status <> 'serving' OR (counter_id IS NOT NULL AND called_at IS NOT NULL));
