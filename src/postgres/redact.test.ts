import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memorySystem } from "./conninfo/memory-system.ts";
import { resolveConnection } from "./conninfo/resolve.ts";
import { describeConnection, redact, redactConnectionString } from "./redact.ts";

describe("describeConnection", () => {
  it.each([
    ["postgres://alice:secret@db:5433/shop", "shop on db:5433 as alice"],
    ["postgres://alice:secret@db1,db2:6000/shop", "shop on db1:5432,db2:6000 as alice"],
    ["postgres://alice@[::1]/shop", "shop on [::1]:5432 as alice"],
    ["host=/run/pg user=alice", "alice on /run/pg/.s.PGSQL.5432 as alice"],
    ["hostaddr=10.0.0.1 user=alice", "alice on 10.0.0.1:5432 as alice"],
  ])("%s", async (conninfo, description) => {
    expect(describeConnection(await resolveConnection({ conninfo }, {}, memorySystem()))).toBe(description);
  });
});

describe("redact", () => {
  it("masks secrets as they are and encoded, the longest first", () => {
    expect(redact("a p@ss p%40ss p@ssword", ["p@ss", "p@ssword", null, "", undefined])).toBe("a *** *** ***");
  });
});

describe("redactConnectionString", () => {
  it.each([
    ["postgres://alice:secret@db/shop", "postgres://alice:***@db/shop"],
    ["postgres://alice:se/c@r:et@db/shop?x=1", "postgres://alice:***@db/shop?x=1"],
    ["postgres://alice@db/shop", "postgres://alice@db/shop"],
    ["postgres://db:5432/shop", "postgres://db:5432/shop"],
    ["postgres://db/shop?user=a&password=secret&x=1", "postgres://db/shop?user=a&password=***&x=1"],
    ["postgres://db/shop?sslpassword=secret", "postgres://db/shop?sslpassword=***"],
    ["mysql://root:secret@db", "mysql://root:***@db"],
    ["host=db password=secret user=a", "host=db password=*** user=a"],
    ["password = 'it\\'s a secret' user=a", "password = *** user=a"],
    ["password='never closed", "password=***"],
    ["password=a&b user=x", "password=*** user=x"],
    ["PASSWORD=secret", "PASSWORD=***"],
    ["password= user=x", "password= ***"],
    ["nothing to hide", "nothing to hide"],
  ])("%s", (text, redacted) => {
    expect(redactConnectionString(text)).toBe(redacted);
  });

  it("hides any password that either form carries", () => {
    const password = fc.stringMatching(/^[!-~]{6,20}$/).filter((text) => !/^[a-z]*$/i.test(text));
    fc.assert(
      fc.property(password, (secret) => {
        const quoted = secret.replaceAll(/['\\]/g, String.raw`\$&`);
        const forms = [
          `postgres://alice:${encodeURIComponent(secret)}@db/shop`,
          `postgres://alice:${secret}@db/shop`,
          `postgres://db/shop?password=${encodeURIComponent(secret)}`,
          `host=db password='${quoted}' dbname=shop`,
          `host=db password=${quoted}`,
        ];
        for (const form of forms) {
          const hidden = redactConnectionString(`could not use ${form} today`);
          expect(hidden).not.toContain(secret);
          expect(hidden).toContain("***");
        }
      }),
    );
  });
});
