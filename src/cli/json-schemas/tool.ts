import * as z from "zod";

export const versionSchema = z.strictObject({ version: z.string(), node: z.string(), platform: z.string() });

export const completionSchema = z.strictObject({
  shell: z.enum(["bash", "zsh", "fish", "powershell"]),
  script: z.string(),
});

export const demoSchema = z.strictObject({
  chapters: z.array(
    z.strictObject({
      title: z.string(),
      command: z.string(),
      exit: z.int().describe("the exit status this command ends with"),
      duration_ms: z.number(),
    }),
  ),
});
