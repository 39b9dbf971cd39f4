-- godwit:description Loyalty points, an append-only ledger
-- godwit:requires 20250113090000_payments
-- migrate:up
CREATE TABLE loyalty_accounts (
  customer_id bigint PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
  opened_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE loyalty_entries (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES loyalty_accounts ON DELETE CASCADE,
  payment_id  bigint REFERENCES payments,
  points      integer NOT NULL CONSTRAINT loyalty_entries_points_not_zero CHECK (points <> 0),
  reason      text NOT NULL,
  at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX loyalty_entries_customer ON loyalty_entries (customer_id) INCLUDE (points);
CREATE UNIQUE INDEX loyalty_entries_once_per_payment ON loyalty_entries (payment_id) WHERE payment_id IS NOT NULL;

CREATE FUNCTION refuse_update() RETURNS trigger
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'entries of % are never changed: add one that corrects it', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation';
END;
$$;
CREATE TRIGGER loyalty_entries_append_only BEFORE UPDATE ON loyalty_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_update();

-- migrate:down
DROP TABLE loyalty_entries;
DROP FUNCTION refuse_update();
DROP TABLE loyalty_accounts;
