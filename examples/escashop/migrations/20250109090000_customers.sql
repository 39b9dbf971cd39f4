-- godwit:description Customers, as the staff at the counter write them down
-- migrate:up
CREATE TABLE customers (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  given_name  text NOT NULL,
  family_name text NOT NULL,
  email       citext,
  phone       text,
  country     text NOT NULL CONSTRAINT customers_country_is_iso_3166 CHECK (country ~ '^[A-Z]{2}$'),
  newsletter  boolean NOT NULL DEFAULT false,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT customers_newsletter_needs_email CHECK (NOT newsletter OR email IS NOT NULL)
);
CREATE UNIQUE INDEX customers_email_unique ON customers (email) WHERE email IS NOT NULL;

CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- migrate:down
DROP TABLE customers;
