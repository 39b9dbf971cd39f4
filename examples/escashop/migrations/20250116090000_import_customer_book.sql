-- godwit:description The paper customer book of the first store, telephone numbers exactly as written there
-- migrate:up
INSERT INTO customers (given_name, family_name, email, phone, country)
SELECT b.given_name, b.family_name, b.email, b.phone, b.country
FROM (VALUES
  ('Jürg',      'Müller',      'juerg.mueller@example.ch',  '044 668 18 00',       'CH'),
  ('Zoë',       'Çelik',       'zoe.celik@example.ch',      '+41 (0)79 555 01 23', 'CH'),
  ('João',      'Gonçalves',   'joao.goncalves@example.br', '(11) 95555-0134',     'BR'),
  ('Thị Hương', 'Nguyễn',      NULL,                        '0236 3555 017',       'VN'),
  ('Оксана',    'Їжакевич',    'oksana@example.ua',         '0038 044 555 01 88',  'UA'),
  ('Søren',     'O''Halloran', 'soren@example.org',         'ask his sister ☎',    'CH'),
  ('Ève',       'Lefèvre',     'eve.lefevre@example.ch',    '+41446681801',        'CH'),
  ('Bảo',       'Trần',        'bao.tran@example.vn',       NULL,                  'VN')
) AS b (given_name, family_name, email, phone, country)
WHERE NOT EXISTS (
  SELECT FROM customers AS c WHERE c.family_name = b.family_name AND c.given_name = b.given_name AND c.country = b.country
);

-- migrate:down
-- Only who came from the book and was not served since: with an order or a ticket they stay, and `up` adds them no second time.
DELETE FROM customers AS c
WHERE (c.family_name, c.given_name, c.country) IN (
    ('Müller', 'Jürg', 'CH'), ('Çelik', 'Zoë', 'CH'), ('Gonçalves', 'João', 'BR'), ('Nguyễn', 'Thị Hương', 'VN'),
    ('Їжакевич', 'Оксана', 'UA'), ('O''Halloran', 'Søren', 'CH'), ('Lefèvre', 'Ève', 'CH'), ('Trần', 'Bảo', 'VN'))
  AND NOT EXISTS (SELECT FROM orders AS o WHERE o.customer_id = c.id)
  AND NOT EXISTS (SELECT FROM queue_tickets AS t WHERE t.customer_id = c.id);
