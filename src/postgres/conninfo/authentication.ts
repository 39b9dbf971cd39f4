import type { AuthenticationMethod } from "../types.ts";
import { invalid, nameOf } from "./setting.ts";
import type { Settings } from "./setting.ts";

const METHODS: readonly AuthenticationMethod[] = [
  "none",
  "password",
  "md5",
  "gss",
  "sspi",
  "scram-sha-256",
  "oauth",
];

/**
 * The authentication methods that `require_auth` leaves (manual 32.1.2): those listed, or all but those listed
 * with `!`; null: any. Without negation the server must challenge, unless `none` is listed.
 * @throws GodwitError CONNECTION_STRING_INVALID for an unknown or repeated method, or a mix of both forms.
 */
export function allowedAuthentication(settings: Settings): readonly AuthenticationMethod[] | null {
  const setting = settings.get("require_auth");
  if (setting === undefined || setting.value === "") return null;
  const fail = (problem: string): Error =>
    invalid(
      `${nameOf("require_auth", setting.source)} ${problem}`,
      `list some of ${METHODS.join(", ")}, or put ! before each of them`,
    );
  const entries = setting.value.split(",");
  const negated = entries[0]!.startsWith("!");
  const named = new Set<AuthenticationMethod>();
  for (const entry of entries) {
    if (entry.startsWith("!") !== negated) throw fail("mixes methods with and without !");
    const method = METHODS.find((each) => each === (negated ? entry.slice(1) : entry));
    if (method === undefined) throw fail(`has the method "${entry}", which does not exist`);
    if (named.has(method)) throw fail(`has the method "${entry}" twice`);
    named.add(method);
  }
  return METHODS.filter((method) => named.has(method) !== negated);
}
