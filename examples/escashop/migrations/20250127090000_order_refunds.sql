-- godwit:description Orders can be refunded; the new status is used only after its transaction has ended
-- godwit:lock_timeout 2s
-- migrate:up
ALTER TYPE order_status ADD VALUE 'refunded' AFTER 'fulfilled';

ALTER TABLE orders ADD COLUMN refunded_at timestamptz;
ALTER TABLE orders ADD CONSTRAINT orders_refunded_at_known
  CHECK ((status = 'refunded') = (refunded_at IS NOT NULL)) NOT VALID;

-- migrate:down
-- There is no honest older status for money that was paid back, so this refuses rather than guesses.
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
DO $$
DECLARE
  refunded bigint;
BEGIN
  SELECT count(*) INTO refunded FROM orders WHERE status = 'refunded';
  IF refunded > 0 THEN
    RAISE EXCEPTION '% order(s) are refunded, a status that exists no longer after this', refunded
      USING HINT = 'Decide what they are to become: UPDATE orders SET status = ''cancelled'', refunded_at = NULL WHERE status = ''refunded''';
  END IF;
END;
$$;

ALTER TABLE orders DROP CONSTRAINT orders_refunded_at_known;
ALTER TABLE orders DROP COLUMN refunded_at;

-- A value of an enum cannot be dropped: the type is made again without it, and what names it is put back.
ALTER TABLE orders DROP CONSTRAINT orders_placed_at_known;
ALTER TYPE order_status RENAME TO order_status_with_refunded;
CREATE TYPE order_status AS ENUM ('draft', 'placed', 'paid', 'fulfilled', 'cancelled');
COMMENT ON TYPE order_status IS 'In the order an order goes through them; cancelled can follow any';
ALTER TABLE orders
  ALTER COLUMN status DROP DEFAULT,
  ALTER COLUMN status TYPE order_status USING status::text::order_status,
  ALTER COLUMN status SET DEFAULT 'draft';
DROP TYPE order_status_with_refunded;
ALTER TABLE orders ADD CONSTRAINT orders_placed_at_known
  CHECK (status IN ('draft', 'cancelled') OR placed_at IS NOT NULL);
