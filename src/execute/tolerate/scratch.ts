import { randomBytes } from "node:crypto";
import type { Node } from "libpg-query";
import type { Session, StatementResult } from "../../postgres/session.ts";
import { ident, literal, qualified } from "../../sql/quote.ts";
import type { StatementRewrite } from "../../sql/rewrite.ts";
import { NotComparable } from "./creation.ts";

/** Objects in the scratch are for nobody to hear of. */
const SILENT = (): void => undefined;

/**
 * A schema that lives within a savepoint, where a statement makes its object beside the live one. Nothing of it is ever
 * committed, so nobody else sees it.
 */
export class Scratch {
  readonly session: Session;
  readonly schema: string;
  /** Names in the scratch and what they stand for, longest first. */
  readonly #standsFor: (readonly [string, string])[] = [];
  #shells = 0;
  #opened = false;

  private constructor(session: Session) {
    this.session = session;
    this.schema = `godwit_scratch_${randomBytes(8).toString("hex")}`;
  }

  /** Runs `body` with a scratch and takes back all that it did; a transaction must be open. */
  static async within<T>(session: Session, body: (scratch: Scratch) => Promise<T>): Promise<T> {
    const scratch = new Scratch(session);
    await session.query("SAVEPOINT godwit_scratch");
    try {
      return await body(scratch);
    } finally {
      await session.cleanup(() =>
        session.query("ROLLBACK TO SAVEPOINT godwit_scratch; RELEASE SAVEPOINT godwit_scratch"),
      );
    }
  }

  /** Makes the schema, which must be there before anything is made in it; kinds that are read alone need none. */
  async open(): Promise<void> {
    if (this.#opened) return;
    this.#opened = true;
    await this.run(`CREATE SCHEMA ${ident(this.schema)}; SET LOCAL check_function_bodies = off`);
  }

  async run(sql: string): Promise<StatementResult> {
    return this.session.query(sql, undefined, SILENT);
  }

  /** Runs a statement of the file, rewritten for the scratch. @throws NotComparable where it could not be rewritten. */
  async make<T extends Node>(rewrite: StatementRewrite<T>): Promise<void> {
    const sql = await rewrite.result();
    if (sql === null) throw new NotComparable("its name is written in a way that cannot be replaced");
    await this.open();
    await this.run(sql);
  }

  /** A name in the scratch, ready for SQL. */
  named(name: string): string {
    return qualified(this.schema, name);
  }

  /** A name in the scratch that nothing else has. */
  freshName(): string {
    this.#shells += 1;
    return `godwit_shell_${this.#shells}`;
  }

  /** Remembers what a name in the scratch stands for, both ready for SQL. */
  standsFor(name: string, live: string): void {
    this.#standsFor.push([name, live]);
    this.#standsFor.sort(([a], [b]) => b.length - a.length);
  }

  /** From here on names in what is read are written with their schemas, whatever the file has set. */
  async readQualified(): Promise<void> {
    await this.run("SET LOCAL search_path = pg_catalog");
  }

  /** A text of the catalog with the names that the objects will have; the schema's own is random, so it is nothing else. */
  liveText(text: string, liveSchema: string | null): string {
    let result = text;
    for (const [name, live] of this.#standsFor) result = result.replaceAll(name, () => live);
    if (liveSchema === null) return result;
    const live = ident(liveSchema);
    // A name at the beginning of a string, as nextval's argument is written.
    const [written, wanted] = [this.schema, live].map((name) => literal(`${name}.`).slice(0, -1));
    return result.replaceAll(written!, () => wanted!).replaceAll(this.schema, () => live);
  }
}
