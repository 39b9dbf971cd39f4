-- godwit:description The audit trail of one row, indexed partition by partition so that no write waits
-- migrate:up
-- CONCURRENTLY does not work on a partitioned table. ON ONLY makes the parent's index without the partitions', not yet valid;
-- it becomes valid by itself when the last partition's index is attached.
CREATE INDEX events_lookup ON ONLY audit.events (table_name, row_id, happened_at);

CREATE INDEX CONCURRENTLY events_2025_02_lookup ON audit.events_2025_02 (table_name, row_id, happened_at);
CREATE INDEX CONCURRENTLY events_2025_03_lookup ON audit.events_2025_03 (table_name, row_id, happened_at);
CREATE INDEX CONCURRENTLY events_default_lookup ON audit.events_default (table_name, row_id, happened_at);

ALTER INDEX audit.events_lookup ATTACH PARTITION audit.events_2025_02_lookup;
ALTER INDEX audit.events_lookup ATTACH PARTITION audit.events_2025_03_lookup;
ALTER INDEX audit.events_lookup ATTACH PARTITION audit.events_default_lookup;

-- migrate:down
-- Drops the indexes of the partitions with it.
DROP INDEX audit.events_lookup;
