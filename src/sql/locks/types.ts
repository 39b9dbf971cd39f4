/** The modes of a lock on a relation, weakest first (PostgreSQL manual 13.3.1). */
export const LOCK_MODES = [
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const;

export type LockMode = (typeof LOCK_MODES)[number];

/**
 * Which relations a request means, starting from the one that is named:
 * `itself`; `children` and `partitions`, what inherits from it, at any depth (the first of an ordinary table, the second of a
 * partitioned one or of its index); `table` of an index, and `tables of partitions`, those of the indexes below it; `indexes` and owned `sequences` of a table; `parent`, what it is a
 * partition or child of; `default partition` beside a new one; `referenced` and `referencing`, tables at the other end of
 * its foreign keys, `own referenced` of those that it has not from what it is a partition of; `cascade`, all that TRUNCATE … CASCADE reaches; `column keys`, both ends of the foreign keys of one column;
 * `base`, what a view reads, and `query`, what a materialized view does; `views`, what reads it; `of type`, tables with a column of a type; `of statistics`, the table of an
 * extended statistics object; `owner`, the table that a sequence belongs to.
 */
export type Reach =
  | "itself"
  | "children"
  | "partitions"
  | "table"
  | "tables of partitions"
  | "indexes"
  | "sequences"
  | "parent"
  | "default partition"
  | "referenced"
  | "own referenced"
  | "referencing"
  | "cascade"
  | "column keys"
  | "base"
  | "query"
  | "views"
  | "of type"
  | "of statistics"
  | "owner";

/** A relation as a statement names it; schema null means through search_path. */
export interface NamedRelation {
  readonly schema: string | null;
  readonly name: string;
}

/** Locks that a statement takes, as grammar tells: which relations, found from which name. */
export interface LockRequest extends NamedRelation {
  readonly reach: Reach;
  /** The statement's form: with `part` the key to the mode, see `modeOf`. */
  readonly form: string;
  /** Which of the relations that the statement names: the one it is about, or another (referenced, attached, liked). */
  readonly part: "subject" | "other";
  /** The constraint or column that narrows what is reached; null: all of the relation's. */
  readonly through: string | null;
}

/** What the grammar tells of the locks of one statement. */
export interface StatementLocks {
  readonly requests: readonly LockRequest[];
  /** Whether it reads or changes rows of relations that were there before, so that it may take long. */
  readonly rows: boolean;
  /** Why it may lock more than `requests` say; null: it does not. */
  readonly unknown: string | null;
  /** Relations that were not there before: nobody else can hold a lock on them. */
  readonly creates: readonly NamedRelation[];
  /** What `requests` mean in the live catalog; null: it was not asked. */
  readonly objects: readonly ObjectLock[] | null;
}

/** A lock on a relation of the live catalog. */
export interface ObjectLock extends NamedRelation {
  readonly schema: string;
  /** Schema and name as SQL writes them. */
  readonly relation: string;
  readonly mode: LockMode;
  /** What others cannot do while it is held, or while it is waited for. */
  readonly blocks: "reads and writes" | "writes" | "nothing";
}

export const NO_LOCKS: StatementLocks = {
  requests: [],
  rows: false,
  unknown: null,
  creates: [],
  objects: null,
};
