import * as z from "zod";
import { ERROR_CODES } from "../../core/error-codes.ts";

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys of a constant
const codes = Object.keys(ERROR_CODES) as [keyof typeof ERROR_CODES];

const location = z
  .strictObject({
    file: z.string(),
    line: z.int().positive().describe("1-based"),
    column: z.int().positive().describe("1-based, in characters"),
  })
  .describe("the place in a file that the error is about");

const errorFields = {
  message: z.string(),
  detail: z.string().nullable().describe("the server's DETAIL, or more lines about the message"),
  hint: z.string().nullable().describe("what to do about it, best a command to type"),
  location: location.nullable(),
  sqlstate: z.string().length(5).nullable(),
};

interface ErrorJson {
  code: keyof typeof ERROR_CODES;
  message: string;
  detail: string | null;
  hint: string | null;
  location: z.infer<typeof location> | null;
  sqlstate: string | null;
  problems: ErrorJson[];
}

/** An error inside `data` or among the problems of another. */
export const errorSchema: z.ZodType<ErrorJson> = z
  .strictObject({
    code: z.enum(codes),
    ...errorFields,
    get problems(): z.ZodArray<z.ZodType<ErrorJson>> {
      return z.array(errorSchema);
    },
  })
  .meta({ id: "error" });

/** The document that `--json` prints for a verb, with that verb's `data`. */
export function documentSchema(verb: string, data: z.ZodType): z.ZodType {
  return z
    .strictObject({
      version: z.literal(1).describe("of this envelope"),
      verb: z.literal(verb),
      ok: z.boolean().describe("true exactly when exit is 0"),
      code: z.enum(["OK", ...codes]),
      exit: z.int().describe("the exit status of the process"),
      run_id: z.string().nullable(),
      data: data.nullable().describe("null when the verb failed before it had anything to say"),
      warnings: z.array(
        z.strictObject({ target: z.string().nullable(), message: z.string(), hint: z.string().nullable() }),
      ),
      error: z
        .strictObject({
          ...errorFields,
          problems: z.array(errorSchema).describe("where several independent errors were found in one go"),
        })
        .nullable(),
    })
    .meta({ title: `godwit ${verb} --json` });
}
