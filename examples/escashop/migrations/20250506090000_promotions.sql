-- godwit:description Promotions; a code means one thing at a time
-- godwit:requires 20250113090000_payments
-- migrate:up
CREATE TABLE promotions (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code     text NOT NULL CONSTRAINT promotions_code_shape CHECK (code ~ '^[A-Z0-9]{4,20}$'),
  discount percentage NOT NULL,
  valid    daterange NOT NULL CONSTRAINT promotions_valid_not_empty CHECK (NOT isempty(valid)),
  CONSTRAINT promotions_code_not_twice_a_day EXCLUDE USING gist (code WITH =, valid WITH &&)
);
CREATE TABLE promotion_products (
  promotion_id bigint NOT NULL REFERENCES promotions ON DELETE CASCADE,
  product_id   bigint NOT NULL REFERENCES products,
  PRIMARY KEY (promotion_id, product_id)
);
CREATE INDEX promotion_products_product ON promotion_products (product_id);

-- migrate:down
DROP TABLE promotion_products;
DROP TABLE promotions;
