import type { Figure } from "./figure.ts";

/** Who is measured, in the order in which they are shown. */
export const contestants = ["ours", "distribution", "nginx", "bare Node", "regsync"] as const;
export type Contestant = (typeof contestants)[number];

/** Something about a line that can be right or not, or is only told. */
export interface Check {
  /** What is compared, such as `× distribution`. */
  readonly what: string;
  readonly value: Figure;
  readonly bound?: { readonly kind: "at least" | "at most"; readonly value: number };
}

/** What one line of the benchmark found. */
export interface LineResult {
  readonly name: string;
  readonly title: string;
  /** One sentence or two: what is done, and how it is counted. */
  readonly measures: string;
  /** Of `figures`. */
  readonly unit: string;
  readonly figures: Readonly<Partial<Record<Contestant, Figure>>>;
  /** The most important first. */
  readonly checks: readonly Check[];
}

/** Whether `check` is as it must be; `undefined` where nothing is asked for. */
export function holds({ value, bound }: Check): boolean | undefined {
  if (bound === undefined) return undefined;
  return bound.kind === "at least" ? value.median >= bound.value : value.median <= bound.value;
}
