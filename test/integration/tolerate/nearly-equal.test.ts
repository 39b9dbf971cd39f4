import { describe, expect, it } from "vitest";
import { casesHere, expectedOf, outcomeOf, type ToleranceCase } from "./case.ts";

/** What is there differs in something that is easily overlooked, or only seems to. */
const CASES: readonly ToleranceCase[] = [
  {
    name: "a value that is not at the end, before one that the file adds to another type",
    live: "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE face AS ENUM ('sad')",
    file: "ALTER TYPE mood ADD VALUE 'ok'; ALTER TYPE face ADD VALUE 'happy';",
    differs: ["it stands after 'sad' and before 'happy', the file says at the end"],
  },
  {
    name: "a materialized view that was never filled",
    live: "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA",
    file: "CREATE MATERIALIZED VIEW m AS SELECT a FROM t;",
    differs: ["it was never filled, the file fills it: REFRESH MATERIALIZED VIEW"],
  },
  {
    name: "a materialized view that the file does not fill either",
    live: "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA",
    file: "CREATE MATERIALIZED VIEW m AS SELECT a FROM t WITH NO DATA;",
    tolerated: ["materialized view public.m"],
  },
  {
    name: "a foreign key whose triggers are disabled",
    live: "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES u); ALTER TABLE t DISABLE TRIGGER ALL",
    file: "CREATE TABLE t (a int REFERENCES u);",
    differs: [
      "constraint t_a_fkey: FOREIGN KEY (a) REFERENCES public.u (id), its triggers not enabled as usual, the file says FOREIGN KEY (a) REFERENCES public.u (id)",
    ],
  },
  {
    name: "a primary key that the partitions do not have yet",
    live: "CREATE TABLE p (a int NOT NULL) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); ALTER TABLE ONLY p ADD PRIMARY KEY (a)",
    file: "CREATE TABLE p (a int PRIMARY KEY) PARTITION BY LIST (a);",
    differs: ["constraint p_pkey: PRIMARY KEY (a), its index INVALID, the file says PRIMARY KEY (a)"],
  },
  {
    name: "a primary key that the partitions do not have yet, and do not get from the file either",
    live: "CREATE TABLE p (a int NOT NULL) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); ALTER TABLE ONLY p ADD PRIMARY KEY (a)",
    file: "ALTER TABLE ONLY p ADD CONSTRAINT p_pkey PRIMARY KEY (a);",
    tolerated: ["constraint p_pkey of table public.p"],
  },
  {
    name: "NOT NULL that children do not get",
    since: 18,
    live: "CREATE TABLE t (a int NOT NULL NO INHERIT)",
    file: "CREATE TABLE t (a int NOT NULL);",
    differs: ["column a: NOT NULL NO INHERIT, the file says NOT NULL"],
  },
  {
    name: "constraints that are valid already, which the file validates later",
    live: "CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0) CONSTRAINT f REFERENCES u)",
    file: `ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u NOT VALID;
      ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE public.t VALIDATE CONSTRAINT f;`,
    tolerated: ["constraint c of table public.t", "constraint f of table public.t"],
  },
  {
    name: "a constraint that is valid already, and stays NOT VALID in the file",
    live: "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
    file: "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
    differs: ["constraint c: CHECK ((a > 0)), the file says CHECK ((a > 0)) NOT VALID"],
  },
  ...(
    [
      [
        "a constraint of its own",
        "ALTER TABLE p1 ADD CHECK (a > 100)",
        "constraint p1_a_check is not in the file: CHECK ((a > 100))",
      ],
      [
        "a unique index of its own",
        "ALTER TABLE p1 ADD UNIQUE (b)",
        "constraint p1_b_key is not in the file: UNIQUE (b)",
      ],
      [
        "another default",
        "ALTER TABLE p1 ALTER b SET DEFAULT 2",
        "column b: DEFAULT 2, the file says DEFAULT 1",
      ],
      [
        "NOT NULL of its own",
        "ALTER TABLE p1 ALTER b SET NOT NULL",
        "column b: NOT NULL, the file says no NOT NULL",
      ],
      [
        "a detachment that is pending",
        "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass",
        "table: PARTITION OF public.p, its detachment pending, the file says PARTITION OF public.p",
      ],
    ] as const
  ).map(([what, change, line]) => ({
    name: `a partition with ${what}`,
    live: `CREATE TABLE p (gone int, a int CHECK (a > 0), b int DEFAULT 1) PARTITION BY LIST (a); ALTER TABLE p DROP gone;
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); ${change}`,
    file: "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);",
    differs: [line],
  })),
  {
    name: "a partition that was attached, of a table with keys and generated columns",
    live: `CREATE TABLE u (id int PRIMARY KEY);
      CREATE TABLE p (gone int, a int PRIMARY KEY REFERENCES u CHECK (a > 0), b text COLLATE "C" DEFAULT 'x', c int GENERATED ALWAYS AS (a + 1) STORED, d serial) PARTITION BY LIST (a);
      ALTER TABLE p DROP gone; CREATE INDEX ON p (b);
      CREATE TABLE p1 (LIKE p INCLUDING ALL); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)`,
    file: "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);",
    tolerated: ["table public.p1"],
  },
  {
    name: "a partition to which the file adds a constraint and a default later",
    live: `CREATE TABLE p (a int, b int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
      ALTER TABLE p1 ADD CONSTRAINT c CHECK (b > 0), ALTER b SET DEFAULT 2`,
    file: "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); ALTER TABLE p1 ADD CONSTRAINT c CHECK (b > 0); ALTER TABLE p1 ALTER b SET DEFAULT 2;",
    tolerated: ["table public.p1", "constraint c of table public.p1"],
  },
  {
    name: "a table without the indexes that LIKE gives it",
    live: `CREATE TABLE b (a int PRIMARY KEY, c text); CREATE UNIQUE INDEX ON b (lower(c) DESC) WHERE a > 0; CREATE INDEX ON b (c);
      CREATE TABLE t (a int PRIMARY KEY, c text); CREATE INDEX x ON t (c)`,
    file: "CREATE TABLE t (LIKE b INCLUDING ALL);",
    differs: [
      "index UNIQUE USING btree (<expression> DESC) <lower(c)> WHERE (a > 0) is missing: the file makes it valid",
    ],
  },
  {
    name: "a table with the indexes that LIKE gives it, and others",
    live: `CREATE TABLE b (a int PRIMARY KEY, c text); CREATE UNIQUE INDEX ON b (lower(c) DESC) WHERE a > 0;
      CREATE TABLE t (gone int, a int PRIMARY KEY, c text); ALTER TABLE t DROP gone; CREATE UNIQUE INDEX x ON t (lower(c) DESC) WHERE a > 0; CREATE INDEX y ON t (c)`,
    file: "CREATE TABLE t (LIKE b INCLUDING ALL);",
    tolerated: ["table public.t"],
  },
  ...(
    [
      [
        "a sequence with another increment, which the file restarts",
        "CREATE SEQUENCE s",
        "CREATE SEQUENCE s INCREMENT 10; ALTER SEQUENCE s RESTART WITH 5 CACHE 2;",
        "sequence: AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807, the file says AS bigint START 1 INCREMENT 10 MINVALUE 1 MAXVALUE 9223372036854775807",
      ],
      [
        "a table with other options than those that the file sets later",
        "CREATE TABLE t (a int) WITH (fillfactor = 90, autovacuum_enabled = false)",
        "CREATE TABLE t (a int) WITH (fillfactor = 50); ALTER TABLE t SET (autovacuum_enabled = false);",
        "table: WITH (fillfactor=90), the file says WITH (fillfactor=50)",
      ],
      [
        "a default that the file does not set with the type",
        "CREATE TABLE t (a bigint DEFAULT 7)",
        "CREATE TABLE t (a int DEFAULT 5); ALTER TABLE t ALTER a TYPE bigint;",
        "column a: DEFAULT 7, the file says DEFAULT 5",
      ],
      [
        "row level security that is forced, which the file only enables",
        "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
        "table: FORCE, the file says no row level security",
      ],
      [
        "an identity of another kind, which the file restarts",
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)",
        "CREATE TABLE t (a int GENERATED BY DEFAULT AS IDENTITY); ALTER TABLE t ALTER a SET INCREMENT BY 2;",
        "column a: GENERATED ALWAYS AS IDENTITY (AS integer START 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1), the file says GENERATED BY DEFAULT AS IDENTITY (AS integer START 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1)",
      ],
    ] as const
  ).map(([name, live, file, line]) => ({ name, live, file, differs: [line] })),
  {
    name: "all that the file changes later, changed already",
    live: `CREATE SEQUENCE s AS int INCREMENT 10 MAXVALUE 99 CYCLE;
      CREATE TABLE t (a bigint DEFAULT 5, b int GENERATED ALWAYS AS IDENTITY (INCREMENT 2), c varchar(9) DEFAULT 'x', d text) WITH (fillfactor = 50, toast.autovacuum_enabled = false);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, ALTER d SET (n_distinct = 5)`,
    file: `CREATE SEQUENCE s INCREMENT 10; ALTER SEQUENCE s AS int MAXVALUE 99 CYCLE;
      CREATE TABLE t (a int DEFAULT 5, b int GENERATED BY DEFAULT AS IDENTITY, c text DEFAULT 'x', d text) WITH (fillfactor = 50);
      ALTER TABLE t ALTER a TYPE bigint, ALTER b SET GENERATED ALWAYS SET INCREMENT BY 2, ALTER c TYPE varchar(9), SET (toast.autovacuum_enabled = false);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE t ALTER d SET (n_distinct = 5);`,
    tolerated: ["sequence public.s", "table public.t"],
  },
];

describe("what is nearly equal to what a tolerant file makes:", () => {
  it.each(casesHere(CASES))("$name", async (one) => {
    expect(await outcomeOf(one)).toEqual(expectedOf(one));
  });
});
