/**
 * Key of a lock in Redis, which `redis-cli KEYS "*migration*"` shows: `migration_<name>_lock`, or
 * `migration_<name>_<tenant>_lock`.
 * @param name SERVICE_NAME of the environment, or the name of the stream.
 */
export function redisKey(name: string, tenant: string | null): string {
  return tenant === null ? `migration_${name}_lock` : `migration_${name}_${tenant}_lock`;
}
