/** What was measured several times: the middle of it, and how far it spreads. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** @throws {RangeError} for no values */
export function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const [low] = sorted;
  const high = sorted.at(-1);
  if (low === undefined || high === undefined) throw new RangeError("nothing was measured");
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return { median: middle.reduce((sum, value) => sum + value, 0) / middle.length, low, high };
}

/** The ratios of `values` to `others`, each to that of the same round: what slows both in one round cancels out. */
export function ratio(values: readonly number[], others: readonly number[]): Figure {
  return figure(values.map((value, i) => value / (others[i] ?? Number.NaN)));
}

/** `1.23`, `45.6`, `12,300`: three digits that mean something. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
