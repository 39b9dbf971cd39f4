/**
 * The JSON Schema (draft 2020-12) of a configuration file, for editors and other checks of YAML and JSON files.
 * It accepts every file that Godwit accepts; what several keys say together is checked by Godwit alone.
 */
export async function configJsonSchema(): Promise<Record<string, unknown>> {
  const { toJsonSchema } = await import("./schema.ts");
  return toJsonSchema();
}
