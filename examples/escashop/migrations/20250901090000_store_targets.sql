-- godwit:description What a store means to sell a day; the last thing that store_overview reads
-- godwit:lock_timeout 2s
-- migrate:up
ALTER TABLE stores ADD COLUMN daily_target numeric(14, 2)
  CONSTRAINT stores_daily_target_positive CHECK (daily_target > 0);
UPDATE stores AS s
SET daily_target = t.target
FROM (VALUES ('zrh01', 2500), ('sao01', 9000), ('dad01', 30000000), ('kbp01', 80000)) AS t (code, target)
WHERE t.code = s.code;

-- migrate:down
-- store_overview is a repeatable file and has no way down of its own. The file that brings the last thing it reads
-- takes it away, before anything it stands on goes; the next `up` makes it again.
DROP VIEW IF EXISTS store_overview;
ALTER TABLE stores DROP COLUMN daily_target;
