import type { Location } from "../core/error.ts";
import type { Statement } from "../sql/types.ts";

/** `sql`: one file with sections; `folder`: `<id>/up.sql` + `down.sql`; `code`: a module exporting `up` and `down`. */
export type MigrationFormat = "sql" | "folder" | "code";
export type MigrationKind = "versioned" | "repeatable";

/** A migration as found on disk: read and hashed, not parsed. Ten thousand of these must stay cheap. */
export interface MigrationFile {
  readonly stream: string;
  /** The file's stem: `20260101000000_users`; for a repeatable without `.repeatable`. */
  readonly id: string;
  readonly kind: MigrationKind;
  readonly format: MigrationFormat;
  /** Absolute path of the file; of the folder's up.sql for `folder`. */
  readonly path: string;
  /** Absolute path of a folder's down.sql, if it has one. */
  readonly downPath: string | null;
  /** `sha256:<hex>` over the text with CRLF and BOM normalised; for a folder over both texts. */
  readonly checksum: string;
}

/** `<id>` of the same stream, or `<stream>/<id>`. */
export interface Requirement {
  readonly stream: string;
  readonly id: string;
  /** Where it is written; absent for one read from the history. */
  readonly location?: Location;
}

/** The SQL of one direction. */
export interface Section {
  /**
   * The section's own text, as stored in the history: for `up` from the start of the file (its directives included),
   * for `down` from its marker on. Up and down put together are the file again, so that settings survive the file.
   */
  readonly sql: string;
  readonly statements: readonly Statement[];
  /** `sha256:<hex>` over `sql`, normalised like the file's checksum. */
  readonly checksum: string;
  /** False for `-- migrate:up transaction:false`, `-- godwit:transaction off`, `export const transaction = false`. */
  readonly transaction: boolean;
}

/** A parsed migration: everything the planner needs, frozen. */
export interface Migration extends MigrationFile {
  readonly description: string;
  /** null: no directive, requires every earlier id of its stream. */
  readonly requires: readonly Requirement[] | null;
  /** The reason given by `-- godwit:irreversible <why>`. */
  readonly irreversible: string | null;
  /** Milliseconds; null means the run's setting. */
  readonly lockTimeoutMs: number | null;
  readonly statementTimeoutMs: number | null;
  /** True for `-- godwit:tolerate existing`; null means what the configuration says. */
  readonly tolerateExisting: true | null;
  /** For `code` the section has no statements and its sql is the module's source. */
  readonly up: Section;
  /** null where the file has no way down. */
  readonly down: Section | null;
}
