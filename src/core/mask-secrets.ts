/** Each with what stands before the secret as its first group, and a replacement that keeps it. */
const SECRETS: readonly (readonly [secret: RegExp, shown: string])[] = [
  // Within a literal its own quotes are doubled.
  [/(\bpassword\s+)(?:e|u&)?(?:''[^']+''|'(?:[^']|'')*'?)/gi, "$1'***'"],
  [/(\bpassword\s*=\s*)(?:\\?'(?:[^'\\]|\\.)*\\?'|[^\s'",;)]+)/gi, "$1***"],
  [/(\w+:\/\/[^\s:@/']*:)[^\s@/']+@/g, "$1***@"],
];

/** Replaces passwords in SQL: `PASSWORD '…'`, and `password=…` or a URL's password within a literal. */
export function maskSecrets(sql: string): string {
  return SECRETS.reduce((text, [secret, shown]) => text.replaceAll(secret, shown), sql);
}

/** As `maskSecrets`, character by character, so that every place in the text stays where it is. */
export function maskSecretsInPlace(sql: string): string {
  return SECRETS.reduce(
    (text, [secret]) =>
      text.replaceAll(
        secret,
        (found: string, before: string) => before + found.slice(before.length).replaceAll(/[^\r\n'@]/gu, "*"),
      ),
    sql,
  );
}
