/** Functions of PostgreSQL that lock nothing, as far as migrations are wont to call them. */
const HARMLESS = new Set(
  (
    "abs age array_agg array_append array_cat array_length array_position array_remove array_to_string avg btrim " +
    "cardinality ceil char_length clock_timestamp coalesce concat concat_ws count crc32 current_database current_setting " +
    "date_part date_trunc decode dense_rank digest encode every extract first_value floor format gen_random_uuid " +
    "generate_series generate_subscripts greatest hashtext initcap json_agg json_build_object json_object_agg " +
    "jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object " +
    "jsonb_each jsonb_each_text jsonb_object_agg jsonb_object_keys jsonb_set jsonb_strip_nulls jsonb_typeof lag " +
    "last_value lead least left length lower lpad ltrim make_date make_interval max md5 min mod now ntile nullif " +
    "octet_length overlay pg_backend_pid pg_sleep position power quote_ident quote_literal random rank regexp_matches " +
    "regexp_replace regexp_split_to_array regexp_split_to_table repeat replace reverse right round row_number row_to_json " +
    "rpad rtrim set_config sha256 split_part sqrt statement_timestamp string_agg string_to_array strpos substr substring " +
    "sum timezone to_char to_date to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector translate trim trunc " +
    "unnest upper uuidv4 uuidv7 version"
  ).split(" "),
);

/** Whether a function, by the parts of its name, is known to lock no relation. */
export function isHarmless(names: readonly (string | undefined)[]): boolean {
  const inCatalog = names.length === 1 || (names.length === 2 && names[0] === "pg_catalog");
  return inCatalog && HARMLESS.has(names.at(-1) ?? "");
}
