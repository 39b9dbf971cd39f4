import { describe, expect, expectTypeOf, it } from "vitest";
import type * as z from "zod";
import { defineConfig } from "./define.ts";
import type { GodwitConfig } from "./define.ts";
import { configJsonSchema } from "./json-schema.ts";
import type { configSchema } from "./schema.ts";

describe("configJsonSchema", () => {
  it("describes every key and allows no other", async () => {
    const schema = await configJsonSchema();
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      additionalProperties: false,
      properties: {
        streams: {
          propertyNames: { pattern: "^[a-z][a-z0-9_-]{0,62}$" },
          additionalProperties: { required: ["migrations"], additionalProperties: false },
        },
        safety: { additionalProperties: false },
      },
    });
    expect(schema).not.toHaveProperty("required");
  });
});

describe("defineConfig", () => {
  it("accepts what the schema accepts", () => {
    expectTypeOf<GodwitConfig>().toExtend<z.input<typeof configSchema>>();
    expectTypeOf<keyof GodwitConfig>().toEqualTypeOf<keyof z.input<typeof configSchema>>();
    const config = { database: "${DATABASE_URL}", safety: { lock_timeout: "1s" } } as const;
    expect(defineConfig(config)).toBe(config);
  });
});
