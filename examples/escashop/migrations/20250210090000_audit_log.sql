-- godwit:description Who changed what, one partition a month, a default partition for what comes unexpected
-- migrate:up
CREATE SCHEMA audit;
COMMENT ON SCHEMA audit IS 'Written by triggers only';

CREATE SEQUENCE audit.event_id_seq AS bigint;
CREATE TABLE audit.events (
  id          bigint NOT NULL DEFAULT nextval('audit.event_id_seq'),
  happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  table_name  text NOT NULL,
  row_id      bigint NOT NULL,
  action      text NOT NULL CONSTRAINT events_action_known CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
  actor       text NOT NULL,
  old_row     jsonb,
  new_row     jsonb,
  PRIMARY KEY (happened_at, id)
) PARTITION BY RANGE (happened_at);
ALTER SEQUENCE audit.event_id_seq OWNED BY audit.events.id;

CREATE TABLE audit.events_2025_02 PARTITION OF audit.events
  FOR VALUES FROM ('2025-02-01 00:00:00+00') TO ('2025-03-01 00:00:00+00');
CREATE TABLE audit.events_2025_03 PARTITION OF audit.events
  FOR VALUES FROM ('2025-03-01 00:00:00+00') TO ('2025-04-01 00:00:00+00');
CREATE TABLE audit.events_default PARTITION OF audit.events DEFAULT;

-- migrate:down
DROP TABLE audit.events;
DROP SCHEMA audit;
