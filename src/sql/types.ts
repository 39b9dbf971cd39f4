import type { StatementLocks } from "./locks/types.ts";

/**
 * How a statement relates to transactions (PostgreSQL manual: the note "cannot be executed inside a transaction block" of each command):
 * `inside` runs in the transaction of its file; `ends` runs in it but what follows needs its commit (ALTER TYPE … ADD VALUE);
 * `alone` must stand alone, outside any transaction block.
 */
export type TransactionNeed = "inside" | "ends" | "alone";

/** A directive comment `-- godwit:<name> <argument>`; the line is 1-based in the whole file. */
export interface Directive {
  readonly name: string;
  readonly argument: string;
  readonly line: number;
  readonly column: number;
}

/** One statement of a file, exactly the author's bytes, without the closing semicolon. */
export interface Statement {
  /** 1-based within its section. */
  readonly ordinal: number;
  readonly sql: string;
  /** 1-based place of its first character in the whole file. */
  readonly line: number;
  readonly column: number;
  /** Its command in PostgreSQL's words: `CREATE TABLE`, `ALTER TYPE`, `DO`. */
  readonly tag: string;
  readonly transaction: TransactionNeed;
  /** Why it is not `inside`, in a short phrase; null for `inside`. */
  readonly transactionReason: string | null;
  /** `sha256:<hex>` of its parse tree without positions: comments and white space do not change it, anything else does. */
  readonly hash: string;
  /** What it does to the session, where that outlives the statement. */
  readonly sessionEffect: "set" | "temporary" | "prepare" | null;
  /** Directives that stand right above it. */
  readonly directives: readonly Directive[];
  /** A DO block of PL/pgSQL with COMMIT or ROLLBACK in it: it works only where no transaction block is open. */
  readonly commits: boolean;
  /** Whether it waits for others without making anybody wait who reads or writes rows; see `isPatient`. */
  readonly patient: boolean;
  /** Whether it surely takes no time, however much data there is; see `NewTables`. */
  readonly quick: boolean;
  /** The relations that it locks, as far as grammar tells. */
  readonly locks: StatementLocks;
  /** For what cannot be known by grammar alone: the relation whose kind decides (REINDEX TABLE of a partitioned table). */
  readonly catalogCheck: CatalogCheck | null;
}

/** A question to the live catalog; if the answer is yes, the statement must stand alone. */
export interface CatalogCheck {
  readonly kind: "partitioned-relation";
  /** As written: schema null means through search_path. */
  readonly schema: string | null;
  readonly name: string;
}

/** A fault in SQL text, found without a server. */
export interface SqlProblem {
  readonly message: string;
  readonly hint: string | null;
  readonly line: number;
  readonly column: number;
}

export interface SplitResult {
  /**
   * In order. Where there are problems, the refused and the unreadable statements are among them (the latter with the
   * tag `UNKNOWN`), so that each directive still has its statement; nothing of it may be run then.
   */
  readonly statements: readonly Statement[];
  /** In the order of the text. */
  readonly problems: readonly SqlProblem[];
}
