/** Flags that `up`, `down` and `plan` share, as commander hands them over. */
export interface RunFlags {
  readonly to?: string;
  readonly step?: number;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly reapply?: boolean;
}
