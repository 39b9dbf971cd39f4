import { maskedQuery } from "../postgres/masked-query.ts";
import type { ConnectionSettings } from "../postgres/types.ts";
import { SecondSession, type WatchedBackend } from "./second-session.ts";

/** What a look from outside sees of a running statement. */
export interface StatementSight {
  readonly phase: string | null;
  readonly done: number | null;
  readonly total: number | null;
  /** Sessions that it waits for, in words; null: it works. */
  readonly waitingFor: string | null;
}

/** Statements shorter than this are not watched, so that quick runs open no second session. */
const WATCH_AFTER_MS = 1000;
const LOOK_EVERY_MS = 1000;
/** How long a worker takes to end once the server has told it to. */
const GIVE_WAY_MS = 500;

const SIGHT_SQL = `SELECT p.phase, p.done, p.total,
  (SELECT pg_catalog.string_agg('backend ' || b.pid || coalesce(' (' || nullif(b.application_name, '') || ')', '')
      || coalesce(': ' || ${maskedQuery("nullif(b.query, '')")}, ''), ', ')
    FROM pg_catalog.pg_stat_activity b WHERE b.pid = ANY (pg_catalog.pg_blocking_pids($1::integer))) AS waiting_for,
  (SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'deadlock_timeout' AND EXISTS (
    SELECT FROM (SELECT pid FROM pg_catalog.pg_stat_progress_vacuum UNION ALL SELECT pid FROM pg_catalog.pg_stat_progress_analyze) v
    WHERE v.pid = ANY (pg_catalog.pg_blocking_pids($1::integer)))) AS vacuum_yields
FROM (SELECT 1) one LEFT JOIN (
  SELECT pid, phase, CASE WHEN phase LIKE 'waiting for %' THEN lockers_done WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS done,
    CASE WHEN phase LIKE 'waiting for %' THEN lockers_total WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS total
  FROM pg_catalog.pg_stat_progress_create_index
  UNION ALL SELECT pid, phase, heap_blks_scanned, heap_blks_total FROM pg_catalog.pg_stat_progress_vacuum
  UNION ALL SELECT pid, phase, heap_blks_scanned, heap_blks_total FROM pg_catalog.pg_stat_progress_cluster
  UNION ALL SELECT pid, phase, sample_blks_scanned, sample_blks_total FROM pg_catalog.pg_stat_progress_analyze
) p ON p.pid = $1::integer`;

/**
 * Looks at the work session from a second one while a statement takes long (PostgreSQL manual 28.4, progress reporting).
 * The second session is opened when first needed and kept for the run.
 */
export class StatementWatch {
  /** What it looks with; others may look with it too. */
  readonly second: SecondSession;
  #watched: WatchedBackend;
  readonly #lookAfterMs: number;
  #lastBlockers: string | null = null;
  #waitingFor: string | null = null;
  #givesWayAfterMs: number | null = null;

  constructor(options: {
    readonly settings: ConnectionSettings;
    readonly applicationName: string;
    readonly watched: WatchedBackend;
    /** As in `WorkSettings`. */
    readonly pooled: boolean;
    readonly watchAfterMs?: number;
  }) {
    this.second = new SecondSession(options.settings, options.applicationName, options.pooled);
    this.#watched = options.watched;
    this.#lookAfterMs = options.watchAfterMs ?? WATCH_AFTER_MS;
  }

  /** The backend that is watched. */
  get watched(): WatchedBackend {
    return this.#watched;
  }

  /** Who was last seen to block the watched session. */
  get lastBlockers(): string | null {
    return this.#lastBlockers;
  }

  /** Who the watched session waited for when last looked; null: for nobody. */
  get waitingFor(): string | null {
    return this.#waitingFor;
  }

  /**
   * How long to wait so that what blocks the watched session gives way, in milliseconds; null: nothing that would. The
   * server cancels an autovacuum that is in the way, but only of who has waited for deadlock_timeout (manual 24.1.6).
   */
  get givesWayAfterMs(): number | null {
    return this.#givesWayAfterMs;
  }

  /** Watches another backend from now on: behind a pooler each transaction may have another. */
  aimAt(watched: WatchedBackend): void {
    this.#watched = watched;
  }

  /** Called where another piece of work begins: who was in the way of the one before is not of interest to it. */
  forgetBlockers(): void {
    this.#lastBlockers = null;
    this.#waitingFor = null;
    this.#givesWayAfterMs = null;
  }

  /**
   * Watches while `body` runs and calls `onSight` about once a second. A watch that cannot look (too many connections,
   * a lost one) stays silent: it must never fail the work it watches.
   */
  async during<T>(
    body: () => Promise<T>,
    onSight: (sight: StatementSight) => void,
    lookAfterMs = this.#lookAfterMs,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const look = async (): Promise<void> => {
      const sight = await this.#look();
      if (over) return;
      onSight(sight ?? { phase: null, done: null, total: null, waitingFor: null });
      timer = setTimeout(() => void look(), LOOK_EVERY_MS);
    };
    timer = setTimeout(() => void look(), lookAfterMs);
    try {
      return await body();
    } finally {
      over = true;
      clearTimeout(timer);
    }
  }

  /** Looks once. null: could not look. */
  async #look(): Promise<StatementSight | null> {
    try {
      const [row] = await this.second.rows(SIGHT_SQL, [String(this.#watched.pid)]);
      if (row === undefined) return null;
      this.#waitingFor = row.waiting_for ?? null;
      if (row.waiting_for !== null && row.waiting_for !== undefined) {
        this.#lastBlockers = row.waiting_for;
        const yields = row.vacuum_yields ?? null;
        this.#givesWayAfterMs = yields === null ? null : Number(yields) + GIVE_WAY_MS;
      }
      return {
        phase: row.phase ?? null,
        done: row.done === null || row.done === undefined ? null : Number(row.done),
        total: row.total === null || row.total === undefined ? null : Number(row.total),
        waitingFor: row.waiting_for ?? null,
      };
    } catch {
      return null;
    }
  }

  /** Ends the second session; one that is still being opened is given up. */
  close(): Promise<void> {
    return this.second.close();
  }
}
