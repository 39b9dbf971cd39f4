import { describe, expect, it } from "vitest";
import { headerOf } from "./header.ts";
import { file } from "./testing/one-file.ts";

describe("headerOf", () => {
  it("reads the requirements of a file that the parser would refuse", async () => {
    const text =
      "/* a /* b */ */\n-- godwit:requires a shared/b\n-- migrate:up\n-- godwit:description D\nSELEC;\n-- godwit:requires z";
    const header = await headerOf(file(text));
    expect(header.description).toBe("D");
    expect(header.requires!.map(({ stream, id }) => `${stream}/${id}`)).toEqual(["app/a", "shared/b"]);
  });

  it("reads a header longer than its first gulp", async () => {
    const header = await headerOf(file(`${"-- remark\n".repeat(5000)}-- godwit:requires a\nSELECT 1;`));
    expect(header.requires).toHaveLength(1);
    expect(header.description).toBe("add users");
  });

  it("reads the plain exports of code without running it", async () => {
    const text =
      'throw new Error();\nexport const requires: string[] = ["a", "shared/b"];\nexport const description = "D";\n';
    const header = await headerOf(file(text, { format: "code" }));
    expect(header.description).toBe("D");
    expect(header.requires!.map(({ stream, id }) => `${stream}/${id}`)).toEqual(["app/a", "shared/b"]);
    expect((await headerOf(file("export function up() {}", { format: "code" }))).requires).toBeNull();
  });
});
