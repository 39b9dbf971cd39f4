-- godwit:description Orders and their lines; a line keeps the price of the day it was sold
-- migrate:up
CREATE TYPE order_status AS ENUM ('draft', 'placed', 'paid', 'fulfilled', 'cancelled');
COMMENT ON TYPE order_status IS 'In the order an order goes through them; cancelled can follow any';

CREATE TABLE orders (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reference   text NOT NULL DEFAULT 'ES-' || upper(left(replace(gen_random_uuid()::text, '-', ''), 12)),
  store_id    bigint NOT NULL REFERENCES stores,
  customer_id bigint REFERENCES customers ON DELETE SET NULL,
  sold_by     bigint REFERENCES users,
  status      order_status NOT NULL DEFAULT 'draft',
  currency    currency_code NOT NULL,
  placed_at   timestamptz,
  note        text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT orders_placed_at_known CHECK (status IN ('draft', 'cancelled') OR placed_at IS NOT NULL)
);
CREATE INDEX orders_store_placed_at ON orders (store_id, placed_at);

CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE order_lines (
  order_id   bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  line       smallint NOT NULL CONSTRAINT order_lines_line_positive CHECK (line > 0),
  product_id bigint NOT NULL REFERENCES products,
  quantity   integer NOT NULL CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0),
  unit_price numeric(12, 2) NOT NULL CONSTRAINT order_lines_unit_price_not_negative CHECK (unit_price >= 0),
  amount     numeric(14, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
  PRIMARY KEY (order_id, line)
);
CREATE INDEX order_lines_product ON order_lines (product_id);

-- migrate:down
DROP TABLE order_lines;
DROP TABLE orders;
DROP TYPE order_status;
