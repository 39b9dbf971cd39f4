import type { ClusterStmt, LockStmt, Node, ReindexStmt, VacuumStmt } from "libpg-query";
import { optionIsOn } from "../options.ts";
import { type LockCollector, named } from "./collector.ts";
import { LOCK_MODES } from "./types.ts";

export function reindexLocks({ kind, params, relation }: ReindexStmt, locks: LockCollector): void {
  locks.touchesRows();
  const what = (kind ?? "").replace("REINDEX_OBJECT_", "");
  const form = `REINDEX ${what}${optionIsOn(params, "concurrently", false) ? " CONCURRENTLY" : ""}`;
  if (what === "INDEX") locks.subject(form, named(relation), ["itself", "table", "partitions"]);
  else if (what === "TABLE") locks.subject(form, named(relation), ["itself", "indexes", "partitions"]);
  else locks.mayLockMore(`every table of the ${what.toLowerCase()}, one after the other`);
}

export function vacuumLocks(
  { is_vacuumcmd: isVacuum, options, rels = [] }: VacuumStmt,
  locks: LockCollector,
): void {
  locks.touchesRows();
  const full = isVacuum === true && optionIsOn(options, "full", false);
  const form = isVacuum === true ? `VACUUM${full ? " FULL" : ""}` : "ANALYZE";
  if (rels.length === 0) locks.mayLockMore("every table, one after the other");
  for (const one of rels) {
    if (!("VacuumRelation" in one)) continue;
    const { relation } = one.VacuumRelation;
    const recurses = relation?.inh === true;
    locks.subject(form, named(relation), recurses ? ["itself", "children", "partitions"] : ["itself"]);
  }
}

export function clusterLocks({ relation }: ClusterStmt, locks: LockCollector): void {
  locks.touchesRows();
  if (relation === undefined) locks.mayLockMore("every table that was clustered before, one after the other");
  locks.subject("CLUSTER", named(relation), ["itself", "partitions"]);
}

export function lockTableLocks({ mode, relations = [] }: LockStmt, locks: LockCollector): void {
  const form = `LOCK ${LOCK_MODES[(mode ?? LOCK_MODES.length) - 1] ?? "ACCESS EXCLUSIVE"}`;
  for (const one of relations) tableOf(one, form, locks);
}

function tableOf(one: Node, form: string, locks: LockCollector): void {
  if (!("RangeVar" in one)) return;
  const recurses = one.RangeVar.inh === true;
  locks.subject(
    form,
    named(one.RangeVar),
    recurses ? ["itself", "children", "partitions", "base"] : ["itself", "base"],
  );
}
