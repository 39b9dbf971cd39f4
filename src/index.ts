/**
 * Godwit migrates PostgreSQL without stopping the services that use it. Everything that the command line does is here.
 * @module
 */
export { createGodwit } from "./api/create-godwit.ts";
export type * from "./api/types.ts";
export { defineConfig, type GodwitConfig } from "./config/define.ts";
export type { Config, DatabaseSource, SafetyConfig, StreamConfig } from "./config/types.ts";
export { GodwitError, isGodwitError, type GodwitErrorOptions, type Location } from "./core/error.ts";
export { ERROR_CODES, exitStatusOf, type ErrorCode } from "./core/error-codes.ts";
export type { Direction, GodwitEvent } from "./core/events.ts";
export type { MigrationDb, MigrationFunction } from "./migrations/code-types.ts";
export type { Plan, PlannedMigration, PlanReason, PlanStep } from "./plan/types.ts";
export { sql, type SqlQuery } from "./sql/template.ts";
