-- godwit:description Categories as a tree, products with full text search, stock of each store
-- migrate:up
CREATE TABLE categories (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  parent_id bigint REFERENCES categories,
  slug      text NOT NULL CONSTRAINT categories_slug_unique UNIQUE,
  name      text NOT NULL,
  CONSTRAINT categories_not_own_parent CHECK (parent_id <> id)
);
CREATE INDEX categories_parent ON categories (parent_id);

CREATE TABLE products (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  category_id bigint NOT NULL REFERENCES categories,
  sku         text NOT NULL CONSTRAINT products_sku_unique UNIQUE,
  name        text NOT NULL,
  description text NOT NULL DEFAULT '',
  net_price   numeric(12, 2) NOT NULL CONSTRAINT products_net_price_not_negative CHECK (net_price >= 0),
  vat_rate    percentage NOT NULL DEFAULT 0,
  gross_price numeric(12, 2) NOT NULL GENERATED ALWAYS AS (round(net_price * (1 + vat_rate / 100), 2)) STORED,
  attributes  jsonb NOT NULL DEFAULT '{}'
              CONSTRAINT products_attributes_is_object CHECK (jsonb_typeof(attributes) = 'object'),
  search      tsvector GENERATED ALWAYS AS (
                setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', description), 'B')
              ) STORED,
  discontinued_at timestamptz,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX products_category ON products (category_id) WHERE discontinued_at IS NULL;

CREATE TRIGGER products_touch BEFORE UPDATE ON products
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE stock_levels (
  store_id   bigint NOT NULL REFERENCES stores,
  product_id bigint NOT NULL REFERENCES products,
  on_hand    integer NOT NULL DEFAULT 0 CONSTRAINT stock_levels_on_hand_not_negative CHECK (on_hand >= 0),
  reserved   integer NOT NULL DEFAULT 0,
  PRIMARY KEY (store_id, product_id),
  CONSTRAINT stock_levels_reserved_in_hand CHECK (reserved BETWEEN 0 AND on_hand)
);
CREATE INDEX stock_levels_product ON stock_levels (product_id);
-- Rows change at every sale: room on each page keeps the updates out of the indexes.
ALTER TABLE stock_levels SET (fillfactor = 80);

-- migrate:down
DROP TABLE stock_levels;
DROP TABLE products;
DROP TABLE categories;
