import type { ConnectionSettings, SslMode, TlsVersion } from "../types.ts";
import { choiceOf, invalid, nameOf, textOf, unsupported } from "./setting.ts";
import type { Settings } from "./setting.ts";
import { userFile } from "./system.ts";
import type { ConninfoSystem, Environment } from "./system.ts";

const MODES: readonly SslMode[] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const VERSIONS: readonly TlsVersion[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

type TlsSettings = Pick<
  ConnectionSettings,
  | "sslmode"
  | "sslnegotiation"
  | "sslrootcert"
  | "sslcert"
  | "sslkey"
  | "sslpassword"
  | "sslsni"
  | "sslcrl"
  | "sslMinProtocolVersion"
  | "sslMaxProtocolVersion"
>;

/**
 * The settings of TLS (manual 32.19). Files that are not named are those of `~/.postgresql/`, whether they exist or
 * not: what a missing file means depends on sslmode and is decided when connecting.
 * @throws GodwitError CONNECTION_STRING_INVALID, CONNECTION_OPTION_UNSUPPORTED
 */
export function tlsSettings(settings: Settings, env: Environment, system: ConninfoSystem): TlsSettings {
  const file = (keyword: "sslrootcert" | "sslcert" | "sslkey" | "sslcrl"): string | null =>
    textOf(settings, keyword) ?? userFile(keyword, env, system);
  const sslrootcert = file("sslrootcert");
  const sslmode = modeOf(settings, env, sslrootcert === "system");
  const sslnegotiation = choiceOf(settings, "sslnegotiation", ["postgres", "direct"], "postgres");
  if (sslnegotiation === "direct" && !/^(require|verify-ca|verify-full)$/.test(sslmode)) {
    throw invalid(
      `sslnegotiation=direct does not go with sslmode=${sslmode}`,
      "write sslmode=require, verify-ca or verify-full",
    );
  }
  const sslkey = file("sslkey");
  if (sslkey !== null && /^[^/\\]{2,}:/.test(sslkey)) {
    throw unsupported("sslkey names a key in an OpenSSL engine", "write the path of a key file (PEM)");
  }
  const certificate = textOf(settings, "sslcertmode") !== "disable";
  const min = versionOf(settings, "ssl_min_protocol_version") ?? "TLSv1.2";
  const max = versionOf(settings, "ssl_max_protocol_version");
  if (max !== null && VERSIONS.indexOf(min) > VERSIONS.indexOf(max)) {
    throw invalid(
      `ssl_min_protocol_version (${min}) is above ssl_max_protocol_version (${max})`,
      "raise the maximum or lower the minimum",
    );
  }
  return {
    sslmode,
    sslnegotiation,
    sslrootcert,
    sslcert: certificate ? file("sslcert") : null,
    sslkey: certificate ? sslkey : null,
    sslpassword: textOf(settings, "sslpassword"),
    sslsni: (settings.get("sslsni")?.value ?? "1").startsWith("1"),
    sslcrl: file("sslcrl"),
    sslMinProtocolVersion: min,
    ...(max === null ? {} : { sslMaxProtocolVersion: max }),
  };
}

/** `sslrootcert=system` makes verify-full the default and any weaker mode an error. */
function modeOf(settings: Settings, env: Environment, systemRoots: boolean): SslMode {
  const fallback = env["PGREQUIRESSL"]?.startsWith("1") ? "require" : systemRoots ? "verify-full" : "prefer";
  if (settings.get("sslmode")?.value === "no-verify") {
    throw unsupported("sslmode=no-verify is not a mode of libpq", "write sslmode=require");
  }
  const mode = choiceOf(settings, "sslmode", MODES, fallback);
  if (systemRoots && mode !== "verify-full") {
    throw invalid(`sslrootcert=system does not go with sslmode=${mode}`, "write sslmode=verify-full");
  }
  return mode;
}

function versionOf(settings: Settings, keyword: string): TlsVersion | null {
  const setting = settings.get(keyword);
  if (setting === undefined || setting.value === "") return null;
  const version = VERSIONS.find((each) => each.toLowerCase() === setting.value.toLowerCase());
  if (version === undefined) {
    throw invalid(
      `${nameOf(keyword, setting.source)} is "${setting.value}"`,
      `it is one of ${VERSIONS.join(", ")}`,
    );
  }
  return version;
}
