import { usageError } from "../option-values.ts";

/**
 * Refuses ways to say how far that contradict each other.
 * @throws GodwitError USAGE.
 */
export function oneExtent(verb: string, extent: Readonly<Record<string, unknown>>): void {
  const given = Object.entries(extent)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name]) => name);
  if (given.length > 1) {
    throw usageError(
      `godwit ${verb}: ${given.join(" and ")} exclude each other`,
      `\`godwit ${verb} --help\` shows what it takes`,
    );
  }
}
