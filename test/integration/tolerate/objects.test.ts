import { describe, expect, it } from "vitest";
import { casesHere, expectedOf, outcomeOf, type ToleranceCase } from "./case.ts";

const TABLE =
  "CREATE TABLE t (gone int, id int PRIMARY KEY, a text, b int); ALTER TABLE t DROP COLUMN gone; ";
const TRIGGER_FUNCTION =
  "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; ";

const INDEXES: readonly ToleranceCase[] = [
  {
    name: "an equal index",
    live: `${TABLE} CREATE UNIQUE INDEX t_a ON t USING btree (lower(a) DESC, b NULLS FIRST, (b + 1)) INCLUDE (id) WITH (fillfactor = 70) WHERE b > 3`,
    file: "CREATE UNIQUE INDEX IF NOT EXISTS t_a ON public.t (lower(a) DESC, b NULLS FIRST, (b + 1)) INCLUDE (id) WITH (fillfactor = 70) WHERE b > 3;",
    tolerated: ["index public.t_a"],
  },
  {
    name: "an equal index CONCURRENTLY",
    live: `${TABLE} CREATE INDEX t_a ON t (a text_pattern_ops, a COLLATE "C")`,
    file: `CREATE INDEX /* CONCURRENTLY */ CONCURRENTLY IF NOT EXISTS t_a ON t (a text_pattern_ops, a COLLATE "C");`,
    tolerated: ["index public.t_a"],
  },
  {
    name: "one that is not there, CONCURRENTLY",
    live: TABLE,
    file: "CREATE INDEX CONCURRENTLY t_a ON t (a);",
    tolerated: [],
  },
  {
    name: "other columns, another method, not unique",
    live: `${TABLE} CREATE INDEX t_a ON t USING hash (a)`,
    file: "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a, b DESC);",
    differs: [
      "index: no uniqueness, the file says UNIQUE",
      "index: USING hash, the file says USING btree",
      "index: (a), the file says (a, b DESC)",
    ],
  },
  {
    name: "another expression and condition",
    live: `${TABLE} CREATE INDEX t_a ON t (lower(a)) WHERE b > 3`,
    file: "CREATE INDEX t_a ON t (upper(a)) WHERE b > 4;",
    differs: [
      "index: (<expression>) <lower(a)> WHERE (b > 3), the file says (<expression>) <upper(a)> WHERE (b > 4)",
    ],
  },
  {
    name: "an INVALID index",
    live: `${TABLE} CREATE INDEX t_a ON t (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_a'::regclass`,
    file: "CREATE INDEX IF NOT EXISTS t_a ON ONLY t (a);",
    differs: ["index: INVALID, the file says valid"],
  },
  {
    name: "one that a constraint has made",
    live: "CREATE TABLE t (a int UNIQUE)",
    file: "CREATE UNIQUE INDEX IF NOT EXISTS t_a_key ON t (a);",
    differs: ["index: made by the constraint t_a_key, the file says no constraint"],
  },
  {
    name: "one of another table",
    live: `${TABLE} CREATE TABLE u (a int); CREATE INDEX t_a ON u (a)`,
    file: "CREATE INDEX IF NOT EXISTS t_a ON t (a);",
    differs: ["there is an index of this name on another table, the file makes it on table public.t"],
  },
  {
    name: "one of a partitioned table",
    live: "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX p_a ON p (a)",
    file: "CREATE INDEX IF NOT EXISTS p_a ON p (a);",
    tolerated: ["index public.p_a"],
  },
  {
    name: "one of a partitioned table alone",
    live: "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE INDEX p_a ON ONLY p (a)",
    file: "CREATE INDEX IF NOT EXISTS p_a ON ONLY p (a);",
    tolerated: ["index public.p_a"],
  },
];

const ADDITIONS: readonly ToleranceCase[] = [
  {
    name: "an equal column",
    live: `${TABLE} ALTER TABLE t ADD COLUMN total numeric NOT NULL DEFAULT 0 CHECK (total >= 0)`,
    file: "ALTER TABLE t ADD COLUMN IF NOT EXISTS total numeric NOT NULL DEFAULT 0 CHECK (total >= 0);",
    tolerated: ["column total of table public.t"],
  },
  {
    name: "another type",
    live: `${TABLE} ALTER TABLE t ADD COLUMN total int`,
    file: "ALTER TABLE t ADD COLUMN IF NOT EXISTS total bigint;",
    differs: ["column total: integer, the file says bigint"],
  },
  {
    name: "a column without the constraint that comes with it",
    live: `${TABLE} CREATE TABLE u (id int PRIMARY KEY); ALTER TABLE t ADD COLUMN u_id int`,
    file: "ALTER TABLE t ADD COLUMN u_id int REFERENCES u;",
    differs: [
      "constraint t_u_id_fkey is missing: the file makes it FOREIGN KEY (u_id) REFERENCES public.u (id)",
    ],
  },
  {
    name: "some of the columns, with IF NOT EXISTS",
    live: `${TABLE} ALTER TABLE t ADD COLUMN c int`,
    file: "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int, ADD COLUMN IF NOT EXISTS d int; ALTER TABLE t DROP COLUMN d;",
    tolerated: ["column c of table public.t"],
  },
  {
    name: "some of the columns, without",
    live: `${TABLE} ALTER TABLE t ADD COLUMN c int`,
    file: "ALTER TABLE t ADD COLUMN c int, ADD COLUMN d int;",
    differs: [],
  },
  {
    name: "equal constraints",
    live: `CREATE TABLE t (id int, a text, parent int); ALTER TABLE t ADD PRIMARY KEY (id), ADD CONSTRAINT a_unique UNIQUE (a),
           ADD CONSTRAINT parent_fk FOREIGN KEY (parent) REFERENCES t ON DELETE SET NULL NOT VALID`,
    file: `ALTER TABLE t ADD PRIMARY KEY (id); ALTER TABLE ONLY t ADD CONSTRAINT a_unique UNIQUE (a);
           ALTER TABLE t ADD CONSTRAINT parent_fk FOREIGN KEY (parent) REFERENCES t ON DELETE SET NULL NOT VALID;`,
    tolerated: [
      "primary key of table public.t",
      "constraint a_unique of table public.t",
      "constraint parent_fk of table public.t",
    ],
  },
  {
    name: "a constraint that differs",
    live: `${TABLE} ALTER TABLE t ADD CONSTRAINT positive CHECK (b > 0)`,
    file: "ALTER TABLE t ADD CONSTRAINT positive CHECK (b >= 0);",
    differs: ["constraint positive: CHECK ((b > 0)), the file says CHECK ((b >= 0))"],
  },
  {
    name: "a primary key of other columns",
    live: TABLE,
    file: "ALTER TABLE t ADD PRIMARY KEY (b);",
    differs: ["constraint t_pkey: PRIMARY KEY (id), the file says PRIMARY KEY (b)"],
  },
  {
    name: "constraints made of an index",
    live: `${TABLE} CREATE UNIQUE INDEX i ON t (a, b) INCLUDE (id) WITH (fillfactor = 70); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;
           CREATE UNIQUE INDEX j ON t (b); ALTER TABLE t ADD UNIQUE USING INDEX j DEFERRABLE`,
    file: `CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b) INCLUDE (id) WITH (fillfactor = 70); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;
           CREATE UNIQUE INDEX j ON t (b); ALTER TABLE t ADD UNIQUE USING INDEX j DEFERRABLE;`,
    tolerated: [
      "index public.c",
      "constraint c of table public.t",
      "index public.j",
      "constraint j of table public.t",
    ],
  },
  {
    name: "a constraint made of an index on other columns",
    live: `${TABLE} CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i`,
    file: "CREATE UNIQUE INDEX i ON t (b); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
    differs: ["index: (a), the file says (b)"],
  },
  {
    name: "a check of the name of a constraint that is made of an index",
    live: `${TABLE} ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0)`,
    file: "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
    notComparable: "is made of no index",
  },
  {
    name: "a column among other changes",
    live: `${TABLE} ALTER TABLE t ADD COLUMN c int`,
    file: "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int, ALTER COLUMN b SET NOT NULL;",
    notComparable: "does more than to add",
  },
];

const TYPES: readonly ToleranceCase[] = [
  {
    name: "an equal enum",
    live: "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    file: "CREATE TYPE mood AS ENUM ('sad', 'ok');",
    tolerated: ["type public.mood"],
  },
  {
    name: "other labels",
    live: "CREATE TYPE mood AS ENUM ('sad', 'fine', 'ok')",
    file: "CREATE TYPE public.mood AS ENUM ('sad', 'good', 'ok');",
    differs: ["labels:", "- 'fine'", "+ 'good'"],
  },
  {
    name: "a composite type",
    live: `CREATE SCHEMA app; CREATE TYPE app.point AS (x int, y text COLLATE "C")`,
    file: `CREATE TYPE app.point AS (x int, y text COLLATE "C");`,
    tolerated: ["type app.point"],
  },
  {
    name: "a composite type of other columns",
    live: "CREATE TYPE point2 AS (x int, y int)",
    file: "CREATE TYPE point2 AS (x bigint, z int);",
    differs: [
      "column x: integer, the file says bigint",
      "column z is missing: the file makes it integer",
      "column y is not in the file: integer",
    ],
  },
  {
    name: "a range type",
    live: "CREATE TYPE price_range AS RANGE (subtype = numeric)",
    file: "CREATE TYPE price_range AS RANGE (subtype = numeric);",
    tolerated: ["type public.price_range"],
  },
  {
    name: "a range of another type",
    live: "CREATE TYPE price_range AS RANGE (subtype = numeric)",
    file: "CREATE TYPE price_range AS RANGE (subtype = float8, subtype_diff = float8mi);",
    differs: [
      "range: numeric, the file says double precision",
      "range: numeric_ops, the file says float8_ops",
      "range: no difference function, the file says float8mi",
    ],
  },
  {
    name: "an enum of a composite type's name",
    live: "CREATE TYPE mood AS (x int)",
    file: "CREATE TYPE mood AS ENUM ('ok');",
    differs: ["there is a composite type of this name, the file makes an enum"],
  },
  {
    name: "a domain",
    live: "CREATE DOMAIN positive AS int DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0)",
    file: "CREATE DOMAIN positive AS int DEFAULT 1 NOT NULL CONSTRAINT above CHECK (VALUE > 0);",
    tolerated: ["domain public.positive"],
  },
  {
    name: "another domain",
    live: "CREATE DOMAIN positive AS int DEFAULT 1 CHECK (VALUE > 0)",
    file: "CREATE DOMAIN positive AS bigint NOT NULL CHECK (VALUE > 1);",
    differs: [
      "domain: integer, the file says bigint",
      "domain: no NOT NULL, the file says NOT NULL",
      "domain: DEFAULT 1, the file says no default",
      "constraint positive_check: CHECK ((VALUE > 0)), the file says CHECK ((VALUE > 1))",
    ],
  },
  {
    name: "a value of an enum",
    live: "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'great')",
    file: "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok' BEFORE 'happy'; ALTER TYPE mood ADD VALUE 'happy'; ALTER TYPE mood ADD VALUE 'great';",
    tolerated: [
      "value 'ok' of type public.mood",
      "value 'happy' of type public.mood",
      "value 'great' of type public.mood",
    ],
  },
  {
    name: "a value of an enum in another place",
    live: "CREATE TYPE mood AS ENUM ('sad', 'happy', 'ok')",
    file: "ALTER TYPE mood ADD VALUE 'ok' BEFORE 'happy';",
    differs: ["it stands after 'happy', at the end, the file says before 'happy'"],
  },
];

const OTHERS: readonly ToleranceCase[] = [
  {
    name: "a view",
    live: `${TABLE} CREATE VIEW v (x, y) WITH (security_barrier) AS SELECT id, a FROM t WHERE b > 1`,
    file: "CREATE VIEW v (x, y) WITH (security_barrier) AS SELECT id, a FROM t WHERE b > 1;",
    tolerated: ["view public.v"],
  },
  {
    name: "another view",
    live: `${TABLE} CREATE VIEW v AS SELECT 1 AS a\nWHERE true`,
    file: "CREATE VIEW v AS SELECT 1 AS a WHERE false;",
    differs: ["query:", "-   WHERE true;", "+   WHERE false;"],
  },
  {
    name: "a materialized view",
    live: `${TABLE} CREATE MATERIALIZED VIEW m WITH (fillfactor = 70) AS SELECT id FROM t`,
    file: "CREATE MATERIALIZED VIEW IF NOT EXISTS m WITH (fillfactor = 70) AS SELECT id FROM t;",
    tolerated: ["materialized view public.m"],
  },
  {
    name: "a materialized view WITH DATA, another query",
    live: "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id",
    file: "CREATE MATERIALIZED VIEW IF NOT EXISTS public.m AS SELECT 2 AS b WITH DATA;",
    differs: [
      "query: SELECT 1 AS id;, the file says SELECT 2 AS b;",
      "column b is missing: the file makes it integer",
      "column id is not in the file: integer",
    ],
  },
  {
    name: "sequences",
    live: "CREATE TABLE t (id int); CREATE SEQUENCE s INCREMENT 5; CREATE SEQUENCE o OWNED BY t.id; SELECT nextval('s')",
    file: `CREATE SEQUENCE IF NOT EXISTS s INCREMENT 5; CREATE SEQUENCE public.o OWNED BY public.t.id;`,
    tolerated: ["sequence public.s", "sequence public.o"],
  },
  {
    name: "another sequence",
    live: "CREATE SEQUENCE s AS smallint INCREMENT 5",
    file: "CREATE SEQUENCE IF NOT EXISTS s AS smallint;",
    differs: [
      "sequence: AS smallint START 1 INCREMENT 5 MINVALUE 1 MAXVALUE 32767 CACHE 1, the file says AS smallint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 32767 CACHE 1",
    ],
  },
  {
    name: "functions",
    live: `CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql IMMUTABLE SET work_mem = '1MB' AS 'SELECT 1';
           CREATE FUNCTION f(a text) RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE PROCEDURE p(a int) LANGUAGE plpgsql AS 'BEGIN END'`,
    file: `CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql IMMUTABLE SET work_mem = '1MB' AS 'SELECT 1';
           CREATE FUNCTION public.f(boolean) RETURNS int LANGUAGE sql AS 'SELECT 3'; CREATE PROCEDURE p(a int) LANGUAGE plpgsql AS 'BEGIN END';`,
    tolerated: ["function public.f", "procedure public.p"],
  },
  {
    name: "a function that differs",
    live: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$\nSELECT a\n+ 1\n$$",
    file: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS $$\nSELECT a\n+ 2\n$$;",
    differs: [
      "routine: VOLATILE, the file says STABLE",
      "routine: no SECURITY DEFINER, the file says SECURITY DEFINER",
      "routine: body",
      "- + 1",
      "+ + 2",
    ],
  },
  {
    name: "functions of standard SQL",
    live: `${TABLE} CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END`,
    file: "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END;",
    tolerated: ["function public.f"],
  },
  {
    name: "aggregates",
    live: "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0'); CREATE AGGREGATE best(int) (sfunc = int4larger, stype = int)",
    file: "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0');",
    tolerated: ["aggregate public.total"],
  },
  {
    name: "an aggregate that differs",
    live: "CREATE AGGREGATE best(int) (sfunc = int4larger, stype = int)",
    file: "CREATE AGGREGATE best(int) (sfunc = int4smaller, stype = int);",
    differs: ["aggregate: aggtransfn int4larger, the file says aggtransfn int4smaller"],
  },
  {
    name: "schemas and extensions",
    live: "CREATE SCHEMA app; CREATE EXTENSION IF NOT EXISTS plpgsql",
    file: "CREATE SCHEMA IF NOT EXISTS app; CREATE EXTENSION IF NOT EXISTS plpgsql SCHEMA pg_catalog; CREATE SCHEMA other; DROP SCHEMA other;",
    tolerated: ["schema app", "extension plpgsql"],
  },
  {
    name: "an extension of another version",
    live: "",
    file: "CREATE EXTENSION IF NOT EXISTS plpgsql VERSION '0.9';",
    differs: ["version: 1.0, the file says 0.9"],
  },
  {
    name: "a schema of another owner",
    live: "CREATE SCHEMA app AUTHORIZATION pg_monitor",
    file: "CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION CURRENT_USER;",
    differs: ["owner: pg_monitor, the file says postgres"],
  },
  {
    name: "a schema with its objects",
    live: "CREATE SCHEMA app",
    file: "CREATE SCHEMA app CREATE TABLE x (a int);",
    notComparable: "together with objects",
  },
  {
    name: "triggers",
    live: `${TABLE} ${TRIGGER_FUNCTION} CREATE TRIGGER t_touch BEFORE INSERT OR UPDATE OF a, b ON t FOR EACH ROW WHEN (NEW.b > 0) EXECUTE FUNCTION touch('x', 'y');
           CREATE TRIGGER t_change AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch();
           CREATE TRIGGER t_all AFTER UPDATE ON t REFERENCING OLD TABLE AS before NEW TABLE AS later EXECUTE FUNCTION touch()`,
    file: `CREATE TRIGGER t_touch BEFORE INSERT OR UPDATE OF a, b ON public.t FOR EACH ROW WHEN (NEW.b > 0) EXECUTE FUNCTION touch('x', 'y');
           CREATE TRIGGER t_change AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch();
           CREATE TRIGGER t_all AFTER UPDATE ON t REFERENCING OLD TABLE AS before NEW TABLE AS later EXECUTE FUNCTION touch();`,
    tolerated: [
      "trigger t_touch of table public.t",
      "trigger t_change of table public.t",
      "trigger t_all of table public.t",
    ],
  },
  {
    name: "a trigger that differs",
    live: `${TABLE} ${TRIGGER_FUNCTION} CREATE TRIGGER t_touch BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch()`,
    file: "CREATE TRIGGER t_touch AFTER INSERT OR DELETE ON t EXECUTE FUNCTION touch('x');",
    differs: [
      "trigger: BEFORE, the file says AFTER",
      "trigger: INSERT, the file says INSERT OR DELETE",
      "trigger: FOR EACH ROW, the file says FOR EACH STATEMENT",
      "trigger: no arguments, the file says (x\\000)",
    ],
  },
  {
    name: "a trigger of a view",
    live: `${TABLE} ${TRIGGER_FUNCTION} CREATE VIEW v AS SELECT * FROM t; CREATE TRIGGER v_touch INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION touch()`,
    file: "CREATE TRIGGER v_touch INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION touch();",
    tolerated: ["trigger v_touch of view public.v"],
  },
  {
    name: "policies",
    live: `${TABLE} CREATE POLICY own ON t FOR UPDATE TO pg_monitor USING (b = 1 AND EXISTS (SELECT FROM t u WHERE u.id = t.b)) WITH CHECK (a <> '')`,
    file: "CREATE POLICY own ON t FOR UPDATE TO pg_monitor USING (b = 1 AND EXISTS (SELECT FROM t u WHERE u.id = t.b)) WITH CHECK (a <> '');",
    tolerated: ["policy own of table public.t"],
  },
  {
    name: "a policy that differs",
    live: `${TABLE} CREATE POLICY own ON t USING (b = 1)`,
    file: "CREATE POLICY own ON t AS RESTRICTIVE FOR SELECT USING (b = 2);",
    differs: [
      "policy: PERMISSIVE, the file says RESTRICTIVE",
      "policy: FOR ALL, the file says FOR SELECT",
      "policy: USING ((b = 1)), the file says USING ((b = 2))",
    ],
  },
  {
    name: "collations",
    live: `CREATE COLLATION plain FROM "C"`,
    file: `CREATE COLLATION IF NOT EXISTS plain FROM "C";`,
    tolerated: ["collation public.plain"],
  },
  {
    name: "a kind that is not known, with IF NOT EXISTS and notices off",
    live: `${TABLE} CREATE STATISTICS stat ON a, b FROM t`,
    file: "SET client_min_messages = warning; CREATE STATISTICS IF NOT EXISTS stat ON a, b FROM t;",
    notComparable: "the statement skipped it",
  },
  {
    name: "a kind that is not known, without",
    live: "CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)",
    file: "CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);",
    notComparable: "operator === already exists",
  },
  {
    name: "what a DO block skips",
    live: "CREATE TABLE t (a int)",
    file: "DO $$ BEGIN CREATE TABLE IF NOT EXISTS t (b int); END $$;",
    notComparable: "the statement skipped it",
  },
];

describe.each([
  ["indexes", INDEXES],
  ["columns and constraints", ADDITIONS],
  ["types", TYPES],
  ["other objects", OTHERS],
])("%s of a tolerant file", (_kind, cases) => {
  it.each(casesHere(cases))("$name", async (one) => {
    expect(await outcomeOf(one)).toEqual(expectedOf(one));
  });
});
