import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The project that the demo migrates. */
export interface Story {
  /** Folder with the configuration, a throw-away copy. */
  readonly folder: string;
  readonly about: string;
}

/** Later than every migration of the story. */
export const BROKEN_ID = "20991231090000_gift_cards";

export const BROKEN_SQL = `-- migrate:up
CREATE TABLE gift_cards (code text PRIMARY KEY, amount numeric(10,2) NOT NULL);
INSERT INTO gift_cards VALUES ('WELCOME', 'ten');

-- migrate:down
DROP TABLE gift_cards;
`;

export const FIXED_SQL = BROKEN_SQL.replace("'ten'", "10");

const BUILT_IN: Readonly<Record<string, string>> = {
  "20260105090000_customers.sql": `-- migrate:up
CREATE TABLE customers (
  id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE
);
INSERT INTO customers (email) SELECT 'customer' || n || '@example.org' FROM generate_series(1, 20000) n;

-- migrate:down
DROP TABLE customers;
`,
  "20260106090000_orders.sql": `-- migrate:up
CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent');
CREATE TABLE orders (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  state       order_state NOT NULL DEFAULT 'open',
  total       numeric(10,2) NOT NULL
);
INSERT INTO orders (customer_id, total) SELECT id, id % 90 + 10 FROM customers;

-- migrate:down
DROP VIEW IF EXISTS sales;
DROP TABLE orders;
DROP TYPE order_state;
`,
  "20260107090000_orders_by_customer.sql": `-- migrate:up
CREATE INDEX CONCURRENTLY orders_by_customer ON orders (customer_id);

-- migrate:down
DROP INDEX CONCURRENTLY orders_by_customer;
`,
  "sales.repeatable.sql": `CREATE OR REPLACE VIEW sales AS
SELECT state, count(*) AS orders, sum(total) AS total FROM orders GROUP BY state;
`,
};

/** The example of the repository, from a source checkout; a package as installed has none. */
function exampleFolder(): string | null {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const example = join(folder, "examples", "escashop");
    if (existsSync(join(example, "godwit.config.yaml"))) return example;
    if (existsSync(join(folder, "package.json"))) return null;
  }
  return null;
}

/**
 * Puts a copy of the project into a folder, so that the demo can break it without touching the original.
 * @param example the folder to copy; null: the project that is built in.
 */
export function tellStory(folder: string, example: string | null = exampleFolder()): Story {
  mkdirSync(folder, { recursive: true });
  if (example !== null) {
    cpSync(example, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
    return { folder, about: "examples/escashop: users, stores, products, orders, a queue, an audit log" };
  }
  const migrations = join(folder, "migrations");
  mkdirSync(migrations, { recursive: true });
  writeFileSync(join(folder, "godwit.config.yaml"), "streams:\n  shop:\n    migrations: migrations\n");
  for (const [name, text] of Object.entries(BUILT_IN)) writeFileSync(join(migrations, name), text);
  return { folder, about: "a small shop: customers, orders, an index built concurrently, a view" };
}
