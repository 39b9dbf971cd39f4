-- godwit:description The partition of April, filled and proven aside, so that attaching it reads no row under a strong lock
-- godwit:lock_timeout 2s
-- Each statement commits by itself: in one transaction the lock of the first ALTER TABLE would be held while rows are read.
-- migrate:up transaction:false
CREATE TABLE audit.events_2025_04 (
  LIKE audit.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
  CONSTRAINT events_2025_04_bound CHECK (happened_at >= '2025-04-01 00:00:00+00' AND happened_at < '2025-05-01 00:00:00+00')
);

-- The default partition may hold rows of the month; they move, or ATTACH would refuse.
WITH moved AS (
  DELETE FROM audit.events_default
  WHERE happened_at >= '2025-04-01 00:00:00+00' AND happened_at < '2025-05-01 00:00:00+00'
  RETURNING *
)
INSERT INTO audit.events_2025_04 SELECT * FROM moved;

ALTER TABLE audit.events_default ADD CONSTRAINT events_default_without_2025_04
  CHECK (happened_at < '2025-04-01 00:00:00+00' OR happened_at >= '2025-05-01 00:00:00+00') NOT VALID;
ALTER TABLE audit.events_default VALIDATE CONSTRAINT events_default_without_2025_04;

ALTER TABLE audit.events ATTACH PARTITION audit.events_2025_04
  FOR VALUES FROM ('2025-04-01 00:00:00+00') TO ('2025-05-01 00:00:00+00');

ALTER TABLE audit.events_default DROP CONSTRAINT events_default_without_2025_04;
ALTER TABLE audit.events_2025_04 DROP CONSTRAINT events_2025_04_bound;

-- migrate:down
-- What was recorded in April goes back to the default partition; nothing of an audit trail is dropped.
ALTER TABLE audit.events DETACH PARTITION audit.events_2025_04;
INSERT INTO audit.events SELECT * FROM audit.events_2025_04;
DROP TABLE audit.events_2025_04;
