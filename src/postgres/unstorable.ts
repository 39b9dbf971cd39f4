import { literal } from "../sql/quote.ts";
import type { ServerFacts } from "./server-facts.ts";
import type { Session } from "./session.ts";

/** These hold whatever is written in UTF-8; SQL_ASCII takes any bytes as they are (manual 24.3.1). */
const HOLDS_ALL: ReadonlySet<string> = new Set(["UTF8", "SQL_ASCII"]);

/** Characters of one question: more are asked for in several. */
const AT_ONCE = 2000;

/** The characters of a text that are not ASCII, which every encoding has. */
export function beyondAscii(text: string): readonly string[] {
  return text.match(/[^\0-\x7f]/gu) ?? [];
}

/**
 * Which characters of some texts a database cannot hold in its encoding. The server is asked with bytes, since a text with such
 * a character does not even reach it; an open transaction stays as it is.
 */
export async function unstorableCharacters(
  session: Session,
  { encoding }: ServerFacts,
  texts: readonly string[],
): Promise<ReadonlySet<string>> {
  const unstorable = new Set<string>();
  if (HOLDS_ALL.has(encoding)) return unstorable;
  const characters = [...new Set(texts.flatMap(beyondAscii))];
  for (let at = 0; at < characters.length; at += AT_ONCE) {
    const asked = characters.slice(at, at + AT_ONCE);
    const bytes = asked.map((character) => literal(Buffer.from(character).toString("hex")));
    const [row] = await session.rows(`DO $$
DECLARE
  bytes text;
  refused text := '';
BEGIN
  FOREACH bytes IN ARRAY ARRAY[${bytes.join(", ")}] LOOP
    BEGIN
      PERFORM pg_catalog.convert_from(pg_catalog.decode(bytes, 'hex'), 'UTF8');
    EXCEPTION WHEN untranslatable_character OR character_not_in_repertoire THEN
      refused := refused || bytes || ' ';
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('godwit.refused', refused, true);
END $$; SELECT pg_catalog.current_setting('godwit.refused') AS refused`);
    for (const hex of row?.refused?.split(" ") ?? [])
      if (hex !== "") unstorable.add(Buffer.from(hex, "hex").toString());
  }
  return unstorable;
}
