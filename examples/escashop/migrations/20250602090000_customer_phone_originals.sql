-- godwit:description Where the telephone numbers stay as they were written, while the next file brings them into one form
-- migrate:up
CREATE TABLE customer_phone_originals (
  customer_id bigint PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
  original    text NOT NULL,
  normalised  text,
  replaced_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN customer_phone_originals.normalised IS 'NULL: no number could be made of the original';

-- migrate:down
DROP TABLE customer_phone_originals;
