import type { ConnectionSettings, HostSettings } from "./types.ts";

const MASK = "***";
const SECRET_KEYWORDS =
  "password|sslpassword|passwd|pass|pwd|scram_client_key|scram_server_key|oauth_client_secret";

/** Names a connection without its secrets: `shop on db1:5432,db2:5432 as alice`. */
export function describeConnection(settings: ConnectionSettings): string {
  const hosts = settings.hosts.map((host) => describeHost(host)).join(",");
  return `${settings.database} on ${hosts} as ${settings.user}`;
}

/** `db1:5432`, `[::1]:5432`, or the path of a Unix socket. */
export function describeHost({ host, hostaddr, port }: HostSettings): string {
  const name = host || hostaddr || "localhost";
  if (name.startsWith("/") || name.startsWith("@")) return `${name.replace(/\/$/, "")}/.s.PGSQL.${port}`;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

/** Replaces every occurrence of the secrets, as they are and percent-encoded. Null and empty ones are skipped. */
export function redact(text: string, secrets: Iterable<string | null | undefined>): string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (!secret) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret.toWellFormed()));
  }
  // Longest first: a secret may hold another one.
  return [...forms]
    .sort((a, b) => b.length - a.length)
    .reduce((all, form) => all.replaceAll(form, MASK), text);
}

/**
 * Masks the passwords of connection strings within any text, in both forms of libpq, malformed ones too. Where it is
 * unclear how far a password reaches, too much is masked rather than too little.
 */
export function redactConnectionString(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/?]*):[^\s]*@/gi, `$1:${MASK}@`)
    .replaceAll(new RegExp(`([?&](?:${SECRET_KEYWORDS})=)[^&\\s]*`, "gi"), `$1${MASK}`)
    .replaceAll(
      new RegExp(
        `(?<![?&\\w])((?:${SECRET_KEYWORDS})\\s*=\\s*)(?:'(?:[^'\\\\]|\\\\[^])*(?:'|$)|(?:[^\\s'\\\\]|\\\\[^])(?:[^\\s\\\\]|\\\\[^])*)`,
        "gi",
      ),
      `$1${MASK}`,
    );
}
