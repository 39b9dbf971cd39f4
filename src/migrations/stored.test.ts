import { describe, expect, it } from "vitest";
import { parseStored } from "./stored.ts";
import { parse } from "./testing/one-file.ts";

describe("parseStored", () => {
  it("gives from the stored texts the migration that was applied, its settings and places included", async () => {
    const text =
      "-- godwit:requires a\n-- godwit:lock_timeout 3s\n-- godwit:transaction off\n-- migrate:up\nSELECT 1;\n-- migrate:down transaction:true\n\nSELECT 2;";
    const migration = await parse(text);
    const { stream, id, kind, checksum, up, down } = migration;
    const stored = await parseStored({ stream, id, kind, checksum, upSql: up.sql, downSql: down!.sql });
    expect(stored).toMatchObject({ lockTimeoutMs: 3000, up, down, checksum, path: `history of app/${id}` });
    expect(stored.down!.statements[0]).toMatchObject({ line: 8, column: 1 });
    expect([stored.up.transaction, stored.down!.transaction]).toEqual([false, true]);
  });

  it("reads what came from a folder, and what has no way down", async () => {
    const identity = { stream: "app", id: "a", kind: "versioned", checksum: "sha256:x" } as const;
    const both = await parseStored({
      ...identity,
      upSql: "SELECT 1;",
      downSql: "-- godwit:transaction off\nSELECT 2;",
    });
    expect([both.up.transaction, both.down!.transaction, both.format]).toEqual([true, false, "folder"]);
    expect((await parseStored({ ...identity, upSql: "SELECT 1;", downSql: null })).down).toBeNull();
  });

  it("says where a stored text cannot be understood", async () => {
    const stored = {
      stream: "app",
      id: "a",
      kind: "versioned",
      checksum: "sha256:x",
      upSql: "SELEC;",
      downSql: null,
    } as const;
    await expect(parseStored(stored)).rejects.toMatchObject({
      code: "MIGRATION_MALFORMED",
      location: { file: "history of app/a", line: 1 },
    });
  });
});
