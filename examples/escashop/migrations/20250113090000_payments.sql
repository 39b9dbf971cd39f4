-- godwit:description Payments, safe to send twice: the idempotency key is unique
-- migrate:up
CREATE TYPE payment_method AS ENUM ('cash', 'card', 'transfer', 'voucher');

CREATE TABLE payments (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id        bigint NOT NULL REFERENCES orders,
  method          payment_method NOT NULL,
  amount          numeric(14, 2) NOT NULL CONSTRAINT payments_amount_not_zero CHECK (amount <> 0),
  idempotency_key uuid NOT NULL CONSTRAINT payments_idempotency_key_unique UNIQUE,
  received_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payments_order ON payments (order_id) INCLUDE (amount);
COMMENT ON COLUMN payments.amount IS 'Negative: paid back';

-- migrate:down
DROP TABLE payments;
DROP TYPE payment_method;
