import { expect, it } from "vitest";
import { describeId } from "./description.ts";

it.each([
  ["20260101000000_add_users", "add users"],
  ["0001-add-users", "add users"],
  ["v1.2_orders", "orders"],
  ["add_users", "add users"],
  ["2fa_tokens", "2fa tokens"],
  ["20260101000000", "20260101000000"],
  ["20260101000000_", "20260101000000_"],
])("describes %s as %s", (id, description) => {
  expect(describeId(id)).toBe(description);
});
