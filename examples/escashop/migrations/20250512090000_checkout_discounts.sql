-- godwit:description A discount comes from points or from a promotion: both branches meet here
-- godwit:requires 20250505090000_loyalty 20250506090000_promotions
-- migrate:up
CREATE TABLE order_discounts (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id         bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  promotion_id     bigint REFERENCES promotions,
  loyalty_entry_id bigint CONSTRAINT order_discounts_points_spent_once UNIQUE REFERENCES loyalty_entries,
  amount           numeric(14, 2) NOT NULL CONSTRAINT order_discounts_amount_positive CHECK (amount > 0),
  CONSTRAINT order_discounts_one_source CHECK (num_nonnulls(promotion_id, loyalty_entry_id) = 1)
);
CREATE INDEX order_discounts_order ON order_discounts (order_id);
CREATE INDEX order_discounts_promotion ON order_discounts (promotion_id) WHERE promotion_id IS NOT NULL;

-- migrate:down
DROP TABLE order_discounts;
