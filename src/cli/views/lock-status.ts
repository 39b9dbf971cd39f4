import type {
  LockActivity,
  LockBlocker,
  LockHolderStatus,
  LockProgress,
  LockStatusResult,
  TargetLockStatus,
} from "../../api/types.ts";
import { formatDuration } from "../../core/duration.ts";
import { count, statementLabel } from "../reporters/statement-label.ts";
import { oneLine, truncate } from "../text-width.ts";
import type { ViewContext } from "../verb.ts";
import { applicationName, exactTime } from "./words.ts";

const WIDEST = 160;

/** `run 25420d980768 of deploy@build-7`, or the backend where no more is known. */
export function holderName({ runId, osUser, host, backendPid }: LockHolderStatus): string {
  if (runId === null) return backendPid === null ? "somebody" : `backend ${backendPid}`;
  const by = osUser === null && host === null ? "" : ` of ${osUser ?? ""}${host === null ? "" : `@${host}`}`;
  return oneLine(`run ${runId.slice(-12)}${by}`);
}

function progressLine(progress: LockProgress): string | null {
  const { done, remaining, current, stepsDone, steps, lastDone } = progress;
  const finished =
    remaining === null ? `${count(done, "migration")} done` : `${done} of ${done + remaining} done`;
  if (current !== null) {
    const step =
      stepsDone === null ? "" : `, ${stepsDone}${steps === null ? "" : ` of ${steps}`} steps of it`;
    return `at ${oneLine(current)}; ${finished}${step}`;
  }
  if (lastDone !== null) return `${finished}, ${oneLine(lastDone)} last`;
  return remaining === null ? null : finished;
}

function blockerLine({ pid, applicationName: own, query }: LockBlocker): string {
  if (pid === 0) return "a prepared transaction";
  const name = own === null || own === "" ? "" : ` (${applicationName(own)})`;
  return `backend ${pid}${name}${query === null ? "" : `: ${statementLabel(query)}`}`;
}

function activityLines({ state, query, stateMs, waitsFor, keptOut }: LockActivity): string[] {
  if (keptOut !== null) {
    const { mode, relation, pids } = keptOut;
    const who = pids.map((pid) => (pid === 0 ? "a prepared transaction" : `backend ${pid}`)).join(", ");
    return [`stays out of the queue for ${mode} on ${oneLine(relation)}, held by ${who}`];
  }
  const since = stateMs === null ? "" : ` for ${formatDuration(stateMs)}`;
  const text = query === null ? "" : statementLabel(query);
  const doing =
    state === null
      ? "this role may not see what it runs"
      : state === "active"
        ? `has run${since}: ${text === "" ? "a statement of Godwit's own" : text}`
        : `${state}${since}, ${text === "" ? "between two statements" : `last: ${text}`}`;
  return [doing, ...waitsFor.map((blocker) => `waits for ${blockerLine(blocker)}`)];
}

function holderLines(target: TargetLockStatus, holder: LockHolderStatus): string[] {
  const { command, backendPid, acquiredAt, expiresAt, activity, progress } = holder;
  const facts = [
    command,
    backendPid === null ? null : `backend ${backendPid}`,
    target.provider === "advisory" || target.provider === null ? "advisory lock" : target.provider,
    target.token === null || holder.runId === null ? null : `token ${target.token}`,
    acquiredAt === null ? null : `since ${exactTime(acquiredAt)}`,
    expiresAt === null ? null : `good until ${exactTime(expiresAt)}`,
  ];
  const lines = [facts.filter((fact) => fact !== null).join(", ")];
  const far = progress === null ? null : progressLine(progress);
  if (far !== null) lines.push(far);
  if (activity !== null) lines.push(...activityLines(activity));
  return lines;
}

function renderTarget(target: TargetLockStatus, context: ViewContext): string[] {
  const { style } = context;
  const { holder, holding, because } = target;
  const lines = [`${style.bold(target.target)}${style.dim(`: ${target.database}`)}`];
  if (holder === null) {
    lines.push(`  ${style.green("✓")} free ${style.dim(`(${oneLine(because)})`)}`);
  } else {
    const time = holder.heldMs === null ? "" : ` for ${formatDuration(holder.heldMs)}`;
    lines.push(
      holding === "held"
        ? `  ${style.yellow("●")} held by ${style.bold(holderName(holder))}${time}`
        : `  ${style.yellow("!")} stale: ${because}; it was held by ${style.bold(holderName(holder))}`,
    );
    lines.push(...holderLines(target, holder).map((line) => `      ${shortened(line, 6, context)}`));
  }
  for (const blocker of target.queue)
    lines.push(`  queues for it: ${shortened(blockerLine(blocker), 17, context)}`);
  if (holding === "stale") {
    lines.push(style.dim("  the next run takes it by itself"));
    lines.push(`${style.dim("next:")} ${style.bold(context.next("up"))}`);
  } else if (holder?.activity?.waitsFor.length || holder?.activity?.keptOut) {
    lines.push(`${style.dim("next:")} ${style.bold(context.next("lock blockers"))}`);
  }
  return lines;
}

/** Cut to what is left of the line on a terminal, and elsewhere to what a person reads at a glance. */
function shortened(line: string, indent: number, { width }: ViewContext): string {
  return truncate(line, Math.max(20, (width === 0 ? WIDEST : width) - indent));
}

/** Who holds the lock of each target, what it does and how far it is. */
export function renderLockStatus(result: LockStatusResult, context: ViewContext): string {
  if (context.quiet) return "";
  return result.targets.map((target) => `${renderTarget(target, context).join("\n")}\n`).join("\n");
}
