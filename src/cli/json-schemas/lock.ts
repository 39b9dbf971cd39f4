import * as z from "zod";

const blockerSchema = z.strictObject({
  pid: z.int().describe("0: a prepared transaction"),
  application_name: z.string().nullable(),
  query: z.string().nullable(),
});

const holderSchema = z.strictObject({
  run_id: z.string().nullable(),
  command: z.string().nullable(),
  os_user: z.string().nullable(),
  host: z.string().nullable(),
  backend_pid: z.int().nullable(),
  acquired_at: z.string().nullable().describe("ISO 8601, by the database's clock"),
  held_ms: z.number().nullable(),
  renewed_at: z.string().nullable(),
  expires_at: z.string().nullable().describe("null: as long as its session lasts"),
  activity: z
    .strictObject({
      pid: z.int(),
      state: z.string().nullable(),
      query: z.string().nullable(),
      state_ms: z.number().nullable(),
      transaction_ms: z.number().nullable(),
      waits_for: z.array(blockerSchema),
      kept_out: z
        .strictObject({
          migration: z.string(),
          mode: z.string(),
          relation: z.string(),
          pids: z.array(z.int()),
        })
        .nullable(),
    })
    .nullable(),
  progress: z
    .strictObject({
      done: z.int(),
      last_done: z.string().nullable(),
      remaining: z.int().nullable().describe("pending by the files at hand, the one at work included"),
      current: z.string().nullable(),
      steps_done: z.int().nullable(),
      steps: z.int().nullable(),
    })
    .nullable(),
});

const targetSchema = z.strictObject({
  target: z.string(),
  stream: z.string(),
  database: z.string(),
  holding: z.enum(["held", "free", "stale"]),
  because: z.string(),
  provider: z.enum(["advisory", "lease", "redis"]).nullable().describe("null: nobody ever held it"),
  token: z.int().nullable(),
  holder: holderSchema.nullable().describe("null: it is free"),
  queue: z.array(blockerSchema),
});

export const lockStatusSchema = z.strictObject({ targets: z.array(targetSchema) });

export const lockReleaseSchema = z.strictObject({
  target: z.string(),
  database: z.string(),
  released: z.enum(["nothing", "tidied", "forced"]),
  before: targetSchema,
  ended_backends: z.array(z.int()),
});

export const lockBlockersSchema = z.strictObject({
  databases: z.array(
    z.strictObject({
      database: z.string(),
      targets: z.array(z.string()),
      tree: z.array(
        z.strictObject({
          pid: z.int().nullable().describe("null: a prepared transaction"),
          prepared_transaction: z.string().nullable(),
          depth: z.int().describe("0: a root, which others wait for"),
          circle: z.boolean(),
          user: z.string().nullable(),
          application: z.string().nullable(),
          database: z.string().nullable(),
          backend_type: z.string().nullable(),
          state: z.string().nullable(),
          query: z.string().nullable(),
          state_ms: z.number().nullable(),
          transaction_ms: z.number().nullable(),
          godwit: z.boolean(),
          waits_for: z
            .strictObject({
              mode: z.string(),
              object: z.string(),
              waited_ms: z.number().nullable(),
              kept_out: z.string().nullable(),
              pids: z.array(z.int()),
              prepared_transactions: z.array(z.string()),
            })
            .nullable(),
          remedy: z.strictObject({ sql: z.string(), warnings: z.array(z.string()) }).nullable(),
        }),
      ),
    }),
  ),
});

/** `lock status`; `lock release`; `lock blockers`. */
export const lockSchema = z.union([lockStatusSchema, lockReleaseSchema, lockBlockersSchema]);
