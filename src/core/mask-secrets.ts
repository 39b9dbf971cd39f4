/** Replaces passwords in SQL: `PASSWORD '…'`, and `password=…` or a URL's password within a literal. */
export function maskSecrets(sql: string): string {
  return sql
    .replaceAll(/(\bpassword\s+)(?:e|u&)?'(?:[^']|'')*'?/gi, "$1'***'")
    .replaceAll(/(\bpassword\s*=\s*)(?:\\?'(?:[^'\\]|\\.)*\\?'|[^\s'",;)]+)/gi, "$1***")
    .replaceAll(/(\w+:\/\/[^\s:@/']*:)[^\s@/']+@/g, "$1***@");
}
