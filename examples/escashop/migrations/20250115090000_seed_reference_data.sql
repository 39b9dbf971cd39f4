-- godwit:description Four stores, their counters, the first categories and products
-- migrate:up
INSERT INTO stores (code, name, city, country, currency, time_zone, opened_on) VALUES
  ('zrh01', 'EscaShop Limmatquai', 'Zürich',    'CH', 'CHF', 'Europe/Zurich',    '2025-01-20'),
  ('sao01', 'EscaShop Paulista',   'São Paulo', 'BR', 'BRL', 'America/Sao_Paulo', '2025-02-03'),
  ('dad01', 'EscaShop Sông Hàn',   'Đà Nẵng',   'VN', 'VND', 'Asia/Ho_Chi_Minh', '2025-02-10'),
  ('kbp01', 'ЕскаШоп Хрещатик',    'Київ',      'UA', 'UAH', 'Europe/Kiev',      '2025-03-03')
ON CONFLICT (code) DO NOTHING;

INSERT INTO counters (store_id, label)
SELECT s.id, l.label
FROM stores AS s CROSS JOIN (VALUES ('A'), ('B'), ('C')) AS l (label)
WHERE s.code IN ('zrh01', 'sao01', 'dad01', 'kbp01')
ON CONFLICT (store_id, label) DO NOTHING;

INSERT INTO categories (slug, name) VALUES ('glasses', 'Brillen · Óculos · Mắt kính · Окуляри'), ('care', 'Pflege & Zubehör')
ON CONFLICT (slug) DO NOTHING;
INSERT INTO categories (slug, name, parent_id)
SELECT c.slug, c.name, p.id
FROM (VALUES ('reading', 'Lesebrillen', 'glasses'), ('sun', 'Óculos de sol ☀️', 'glasses')) AS c (slug, name, parent)
JOIN categories AS p ON p.slug = c.parent
ON CONFLICT (slug) DO NOTHING;

INSERT INTO products (category_id, sku, name, description, net_price, vat_rate, attributes)
SELECT c.id, p.sku, p.name, p.description, p.net_price, p.vat_rate, p.attributes::jsonb
FROM (VALUES
  ('reading', 'RD-100', 'Lesehilfe „Näfels“',   'Leicht; für lange Abende; O''Neill-Bügel', 49.00, 8.1, '{"dioptre": [1.0, 1.5, 2.0]}'),
  ('sun',     'SN-200', 'Óculos Ipanema',       'Proteção UV 400; armação à prova d''água', 89.90, 8.1, '{"uv": 400}'),
  ('sun',     'SN-210', 'Kính râm Mỹ Khê',      'Chống nắng; gọng tre',                     75.50, 8.1, '{"frame": "tre"}'),
  ('care',    'CR-010', 'Серветка «Дніпро»',    'Мікрофібра; 15 × 15 см',                    6.00, 8.1, '{}')
) AS p (category, sku, name, description, net_price, vat_rate, attributes)
JOIN categories AS c ON c.slug = p.category
ON CONFLICT (sku) DO NOTHING;

INSERT INTO stock_levels (store_id, product_id, on_hand)
SELECT s.id, p.id, 25
FROM stores AS s CROSS JOIN products AS p
WHERE s.code IN ('zrh01', 'sao01', 'dad01', 'kbp01') AND p.sku IN ('RD-100', 'SN-200', 'SN-210', 'CR-010')
ON CONFLICT (store_id, product_id) DO NOTHING;

-- migrate:down
-- Takes back what nobody uses yet. A product that was sold and a store that has orders stay, and `up` finds them again.
DELETE FROM stock_levels AS k
USING stores AS s, products AS p
WHERE k.store_id = s.id AND k.product_id = p.id
  AND s.code IN ('zrh01', 'sao01', 'dad01', 'kbp01') AND p.sku IN ('RD-100', 'SN-200', 'SN-210', 'CR-010');

DELETE FROM products AS p
WHERE p.sku IN ('RD-100', 'SN-200', 'SN-210', 'CR-010')
  AND NOT EXISTS (SELECT FROM order_lines AS l WHERE l.product_id = p.id)
  AND NOT EXISTS (SELECT FROM stock_levels AS k WHERE k.product_id = p.id);

DELETE FROM categories AS c
WHERE c.slug IN ('reading', 'sun') AND NOT EXISTS (SELECT FROM products AS p WHERE p.category_id = c.id);
DELETE FROM categories AS c
WHERE c.slug IN ('glasses', 'care')
  AND NOT EXISTS (SELECT FROM products AS p WHERE p.category_id = c.id)
  AND NOT EXISTS (SELECT FROM categories AS k WHERE k.parent_id = c.id);

DELETE FROM counters AS c
USING stores AS s
WHERE c.store_id = s.id AND s.code IN ('zrh01', 'sao01', 'dad01', 'kbp01') AND c.label IN ('A', 'B', 'C')
  AND NOT EXISTS (SELECT FROM queue_tickets AS t WHERE t.counter_id = c.id);

DELETE FROM stores AS s
WHERE s.code IN ('zrh01', 'sao01', 'dad01', 'kbp01')
  AND NOT EXISTS (SELECT FROM counters AS c WHERE c.store_id = s.id)
  AND NOT EXISTS (SELECT FROM orders AS o WHERE o.store_id = s.id)
  AND NOT EXISTS (SELECT FROM stock_levels AS k WHERE k.store_id = s.id)
  AND NOT EXISTS (SELECT FROM queue_days AS d WHERE d.store_id = s.id)
  AND NOT EXISTS (SELECT FROM queue_tickets AS t WHERE t.store_id = s.id);
