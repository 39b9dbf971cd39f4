import { expect, it } from "vitest";
import { describeValue } from "./redis-holder.ts";
import { redisKey } from "./redis-key.ts";

it.each([
  ['{"host":"build-7","run":"0197","pid":12,"more":{"a":1}}', "host build-7, run 0197, pid 12"],
  ["build-7 0197", "build-7 0197"],
  ["{}", "{}"],
  ["[1]", "[1]"],
  ["null", "null"],
  ["{broken", "{broken"],
  ['{"host":"a\\u001b[31m\\nb"}', "host a [31m b"],
  ["a\u202Eb\u2028c\r\n", "a b c"],
])("shows %j as a person reads it", (value, shown) => {
  expect(describeValue(value)).toBe(shown);
});

it("names keys so that they are found", () => {
  expect(redisKey("betting", null)).toBe("migration_betting_lock");
  expect(redisKey("betting", "acme")).toBe("migration_betting_acme_lock");
});
