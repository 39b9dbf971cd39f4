import type { MigrationDb } from "godwit";

export const description = "Telephone numbers in the international form E.164, the original kept aside";

// Every batch commits by itself: a customer's row is locked for a moment only, and an interrupted run goes on where it was.
export const transaction = false;

const BATCH_SIZE = 500;
const E164 = String.raw`^\+[1-9][0-9]{6,14}$`;
const CALLING_CODES: Readonly<Record<string, string>> = { BR: "55", CH: "41", UA: "380", VN: "84" };

/** `+41446681800` for "044 668 18 00" in Switzerland; null where no number can be made of it. */
function toE164(phone: string, country: string): string | null {
  const written = phone.replaceAll("(0)", "").replaceAll(/[^\d+]/g, "");
  let digits: string;
  if (written.startsWith("+")) digits = written.slice(1);
  else if (written.startsWith("00")) digits = written.slice(2);
  else digits = `${CALLING_CODES[country] ?? ""}${written.replace(/^0/, "")}`;
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : null;
}

export async function up(db: MigrationDb): Promise<void> {
  let changed = 0;
  for (;;) {
    db.signal.throwIfAborted();
    const { rows } = await db.query<{ id: string; phone: string; country: string }>(
      db.sql`SELECT id::text, phone, country FROM customers WHERE phone !~ ${E164} ORDER BY customers.id LIMIT ${BATCH_SIZE}`,
    );
    if (rows.length === 0) break;

    const ids = rows.map((row) => row.id);
    const originals = rows.map((row) => row.phone);
    const normalised = rows.map((row) => toE164(row.phone, row.country));
    // One statement, so that a number and its original are never apart. Who changed meanwhile is left for the next batch.
    const { rowCount } = await db.query(db.sql`
      WITH batch AS (
        SELECT * FROM unnest(${ids}::bigint[], ${originals}::text[], ${normalised}::text[])
          AS b (customer_id, original, normalised)
      ), changed AS (
        UPDATE customers AS c SET phone = b.normalised
        FROM batch AS b
        WHERE c.id = b.customer_id AND c.phone = b.original
        RETURNING b.customer_id, b.original, b.normalised
      )
      INSERT INTO customer_phone_originals (customer_id, original, normalised)
      SELECT customer_id, original, normalised FROM changed
      ON CONFLICT (customer_id) DO UPDATE
        SET original = excluded.original, normalised = excluded.normalised, replaced_at = now()`);
    changed += rowCount ?? 0;
    db.log(`${changed} telephone numbers normalised`);
  }
}

export async function down(db: MigrationDb): Promise<void> {
  for (;;) {
    db.signal.throwIfAborted();
    // A number that was changed since is newer than the original and stays.
    const { rowCount } = await db.query(db.sql`
      WITH batch AS (
        SELECT customer_id, original, normalised FROM customer_phone_originals ORDER BY customer_id LIMIT ${BATCH_SIZE}
      ), restored AS (
        UPDATE customers AS c SET phone = b.original
        FROM batch AS b
        WHERE c.id = b.customer_id AND c.phone IS NOT DISTINCT FROM b.normalised
      )
      DELETE FROM customer_phone_originals AS o USING batch AS b WHERE o.customer_id = b.customer_id`);
    if ((rowCount ?? 0) === 0) break;
  }
}
