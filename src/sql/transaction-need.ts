import type { AlterSubscriptionType, Node, RangeVar, ReindexObjectType, ReindexStmt } from "libpg-query";
import { namedOption, optionIsOn } from "./options.ts";
import type { CatalogCheck, Statement } from "./types.ts";

type Need = Pick<Statement, "transaction" | "transactionReason" | "catalogCheck">;

const INSIDE: Need = { transaction: "inside", transactionReason: null, catalogCheck: null };

function alone(what: string): Need {
  return {
    transaction: "alone",
    transactionReason: `${what} cannot run inside a transaction block`,
    catalogCheck: null,
  };
}

/** Runs anywhere on an ordinary relation, but alone on a partitioned one, which only the catalog knows. */
function aloneIfPartitioned(relation: RangeVar | undefined): Need {
  if (relation?.relname === undefined) return INSIDE;
  return {
    ...INSIDE,
    catalogCheck: {
      kind: "partitioned-relation",
      schema: relation.schemaname ?? null,
      name: relation.relname,
    } satisfies CatalogCheck,
  };
}

/**
 * How a statement relates to transactions. Measured: every command here was tried inside BEGIN on PostgreSQL 14 and 18
 * and is `alone` exactly if the server refused it with SQLSTATE 25001. DROP SUBSCRIPTION is refused only if the
 * subscription has a slot, which the text does not tell. FINALIZE of a detached partition is allowed inside.
 */
export function transactionNeed(node: Node): Need {
  if ("IndexStmt" in node)
    return node.IndexStmt.concurrent === true ? alone("CREATE INDEX CONCURRENTLY") : INSIDE;
  if ("DropStmt" in node)
    return node.DropStmt.concurrent === true ? alone("DROP INDEX CONCURRENTLY") : INSIDE;
  if ("ReindexStmt" in node) return reindexNeed(node.ReindexStmt);
  if ("AlterTableStmt" in node) {
    const detaches = (node.AlterTableStmt.cmds ?? []).some(isDetachConcurrently);
    return detaches ? alone("ALTER TABLE … DETACH PARTITION CONCURRENTLY") : INSIDE;
  }
  if ("AlterEnumStmt" in node) {
    const { oldVal, newVal } = node.AlterEnumStmt;
    if (newVal === undefined || oldVal !== undefined) return INSIDE;
    const transactionReason = "a value added to an enum can be used only after its transaction has committed";
    return { transaction: "ends", transactionReason, catalogCheck: null };
  }
  if ("ClusterStmt" in node) {
    const { relation } = node.ClusterStmt;
    return relation === undefined ? alone("CLUSTER of all tables") : aloneIfPartitioned(relation);
  }
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd === true ? alone("VACUUM") : INSIDE;
  if ("CreatedbStmt" in node) return alone("CREATE DATABASE");
  if ("DropdbStmt" in node) return alone("DROP DATABASE");
  if ("AlterDatabaseStmt" in node) {
    const moves = namedOption(node.AlterDatabaseStmt.options, "tablespace") !== undefined;
    return moves ? alone("ALTER DATABASE … SET TABLESPACE") : INSIDE;
  }
  if ("CreateTableSpaceStmt" in node) return alone("CREATE TABLESPACE");
  if ("DropTableSpaceStmt" in node) return alone("DROP TABLESPACE");
  if ("AlterSystemStmt" in node) return alone("ALTER SYSTEM");
  if ("DiscardStmt" in node) return node.DiscardStmt.target === "DISCARD_ALL" ? alone("DISCARD ALL") : INSIDE;
  return subscriptionNeed(node);
}

/** What REINDEX takes table by table, each in a transaction of its own. */
const WHOLE: Readonly<Partial<Record<ReindexObjectType, string>>> = {
  REINDEX_OBJECT_SCHEMA: "REINDEX SCHEMA",
  REINDEX_OBJECT_SYSTEM: "REINDEX SYSTEM",
  REINDEX_OBJECT_DATABASE: "REINDEX DATABASE",
};

function reindexNeed({ kind, params, relation }: ReindexStmt): Need {
  if (optionIsOn(params, "concurrently", false)) return alone("REINDEX CONCURRENTLY");
  const whole = kind === undefined ? undefined : WHOLE[kind];
  return whole === undefined ? aloneIfPartitioned(relation) : alone(whole);
}

function isDetachConcurrently(node: Node): boolean {
  if (!("AlterTableCmd" in node)) return false;
  const { subtype, def } = node.AlterTableCmd;
  return (
    subtype === "AT_DetachPartition" &&
    def !== undefined &&
    "PartitionCmd" in def &&
    def.PartitionCmd.concurrent === true
  );
}

const CHANGES_PUBLICATIONS: ReadonlySet<AlterSubscriptionType> = new Set([
  "ALTER_SUBSCRIPTION_SET_PUBLICATION",
  "ALTER_SUBSCRIPTION_ADD_PUBLICATION",
  "ALTER_SUBSCRIPTION_DROP_PUBLICATION",
] as const);

function subscriptionNeed(node: Node): Need {
  if ("CreateSubscriptionStmt" in node) {
    const { options } = node.CreateSubscriptionStmt;
    const makesSlot = optionIsOn(options, "connect", true) && optionIsOn(options, "create_slot", true);
    return makesSlot ? alone("CREATE SUBSCRIPTION that creates its slot") : INSIDE;
  }
  if ("DropSubscriptionStmt" in node) return alone("DROP SUBSCRIPTION with a slot");
  if (!("AlterSubscriptionStmt" in node)) return INSIDE;
  const { kind, options } = node.AlterSubscriptionStmt;
  if (kind === "ALTER_SUBSCRIPTION_REFRESH") return alone("ALTER SUBSCRIPTION … REFRESH");
  if (kind !== undefined && CHANGES_PUBLICATIONS.has(kind)) {
    return optionIsOn(options, "refresh", true) ? alone("ALTER SUBSCRIPTION with refresh") : INSIDE;
  }
  if (kind !== "ALTER_SUBSCRIPTION_OPTIONS") return INSIDE;
  if (namedOption(options, "failover") !== undefined) return alone("ALTER SUBSCRIPTION … SET (failover)");
  const endsTwoPhase =
    namedOption(options, "two_phase") !== undefined && !optionIsOn(options, "two_phase", true);
  return endsTwoPhase ? alone("ALTER SUBSCRIPTION … SET (two_phase)") : INSIDE;
}
