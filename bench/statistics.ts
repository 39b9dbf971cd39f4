/** What several measurements of the same thing come to; the unit is the caller's. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** As they were measured, in order. */
  readonly samples: readonly number[];
}

/**
 * The median is what claims are judged by: one disturbed run does not move it. An even count takes the mean
 * of the two in the middle.
 * @throws RangeError without samples.
 */
export function summarise(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  const [min] = sorted;
  const max = sorted.at(-1);
  if (upper === undefined || lower === undefined || min === undefined || max === undefined) {
    throw new RangeError("nothing was measured");
  }
  const rounded = samples.map(round);
  return { median: round((lower + upper) / 2), min: round(min), max: round(max), samples: rounded };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
