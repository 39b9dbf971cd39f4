-- godwit:description Stores, the counters in them and who works where
-- migrate:up
CREATE TABLE stores (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code       text NOT NULL CONSTRAINT stores_code_unique UNIQUE
             CONSTRAINT stores_code_shape CHECK (code ~ '^[a-z]{3}[0-9]{2}$'),
  name       text NOT NULL,
  city       text NOT NULL,
  country    text NOT NULL CONSTRAINT stores_country_is_iso_3166 CHECK (country ~ '^[A-Z]{2}$'),
  currency   currency_code NOT NULL,
  time_zone  text NOT NULL,
  opened_on  date NOT NULL DEFAULT CURRENT_DATE,
  closed_on  date,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT stores_close_after_opening CHECK (closed_on >= opened_on)
);
COMMENT ON COLUMN stores.time_zone IS 'Name in the time zone database; decides when a business day begins';

CREATE TRIGGER stores_touch BEFORE UPDATE ON stores
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE counters (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  store_id bigint NOT NULL REFERENCES stores,
  label    text NOT NULL,
  active   boolean NOT NULL DEFAULT true,
  CONSTRAINT counters_label_unique UNIQUE (store_id, label),
  -- What refers to a counter refers to (store_id, id), so that it cannot name a counter of another store.
  CONSTRAINT counters_of_store UNIQUE (store_id, id)
);

CREATE TABLE store_staff (
  store_id bigint NOT NULL REFERENCES stores ON DELETE CASCADE,
  user_id  bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  since    date NOT NULL DEFAULT CURRENT_DATE,
  PRIMARY KEY (store_id, user_id)
);
CREATE INDEX store_staff_user ON store_staff (user_id);

-- migrate:down
DROP TABLE store_staff;
DROP TABLE counters;
DROP TABLE stores;
