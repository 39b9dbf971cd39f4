import type * as redis from "redis";
import { GodwitError } from "../core/error.ts";

/** The package `redis`, which only those need who keep their locks there. */
export type RedisPackage = typeof redis;

/**
 * Loads the client of Redis.
 * @throws GodwitError CONFIG_INVALID if the package is not installed where Godwit can find it.
 */
export async function loadRedisPackage(): Promise<RedisPackage> {
  try {
    return await import("redis");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")) throw error;
    throw new GodwitError(
      "CONFIG_INVALID",
      'lock.provider is redis, and the package "redis" is not installed beside Godwit',
      { hint: "npm install redis (npm install --global redis where Godwit is installed globally)" },
    );
  }
}
