-- godwit:description The waiting room: tickets are numbered by store and day
-- migrate:up
CREATE TYPE queue_status AS ENUM ('waiting', 'serving', 'done', 'cancelled');

CREATE TABLE queue_days (
  store_id     bigint NOT NULL REFERENCES stores,
  business_day date NOT NULL,
  last_number  integer NOT NULL CONSTRAINT queue_days_last_number_positive CHECK (last_number > 0),
  PRIMARY KEY (store_id, business_day)
);
COMMENT ON TABLE queue_days IS 'One row gives the next number; its row lock is what puts tickets in order';

CREATE TABLE queue_tickets (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  store_id     bigint NOT NULL REFERENCES stores,
  business_day date NOT NULL,
  number       integer NOT NULL,
  customer_id  bigint REFERENCES customers ON DELETE SET NULL,
  priority     boolean NOT NULL DEFAULT false,
  status       queue_status NOT NULL DEFAULT 'waiting',
  counter_id   bigint,
  taken_at     timestamptz NOT NULL DEFAULT now(),
  called_at    timestamptz,
  closed_at    timestamptz,
  CONSTRAINT queue_tickets_number_unique UNIQUE (store_id, business_day, number),
  CONSTRAINT queue_tickets_counter_of_store FOREIGN KEY (store_id, counter_id) REFERENCES counters (store_id, id),
  CONSTRAINT queue_tickets_served_somewhere CHECK (status <> 'serving' OR (counter_id IS NOT NULL AND called_at IS NOT NULL))
);
CREATE INDEX queue_tickets_waiting ON queue_tickets (store_id, priority DESC, id)
  INCLUDE (number) WHERE status = 'waiting';
COMMENT ON INDEX queue_tickets_waiting IS 'Small whatever the history grows to: only who is waiting is in it';

-- migrate:down
DROP TABLE queue_tickets;
DROP TABLE queue_days;
DROP TYPE queue_status;
