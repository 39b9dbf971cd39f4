import { isComment, isWord, SqlLexer } from "./tokens.ts";

/**
 * The same index on a copy of its table, so that the server tells what its definition comes to: what stands
 * behind the table's name is taken as the author wrote it.
 * @param sql CREATE INDEX, as the grammar has accepted it.
 * @param table the copy, ready for SQL.
 * @returns null where the table's name could not be found.
 */
export function indexProbe(sql: string, table: string): string | null {
  const lexer = new SqlLexer(sql);
  const next = (): boolean => {
    while (lexer.next()) if (!isComment(lexer)) return true;
    return false;
  };
  let unique = "";
  // ON is reserved, so that no name before it is this word.
  for (let found = false; !found;) {
    if (!next()) return null;
    if (isWord(lexer, "unique")) unique = "UNIQUE ";
    found = isWord(lexer, "on");
  }
  if (!next()) return null;
  if (isWord(lexer, "only") && !next()) return null;
  for (;;) {
    const { end } = lexer;
    if (!next()) return null;
    if (sql[lexer.start] !== ".") {
      return `CREATE ${unique}INDEX ON ${table} ${sql.slice(end)}`;
    }
    if (!next()) return null;
  }
}
