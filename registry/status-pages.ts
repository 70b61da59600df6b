import type { ProbeDocument } from "../common/probes.ts";
import type { SyncDetails } from "./sync/telling/details.ts";

/** The longest page, whatever was asked for (S01). */
const maxItems = 1000;
const fewItems = 100;

/** Part of a list. */
export interface Page<T> {
  /** Of the whole list. */
  readonly count: number;
  readonly offset: number;
  readonly items: readonly T[];
  /** Where the next page is. Absent: this is the last. */
  readonly next?: string;
}

/** Which part of a list is asked for: `?offset=` and `?n=`, whatever they say. */
export function rangeOf(query: URLSearchParams): { readonly offset: number; readonly limit: number } {
  return {
    offset: numberOf(query.get("offset")) ?? 0,
    limit: Math.min(numberOf(query.get("n")) ?? fewItems, maxItems),
  };
}

/** @param path where the list is served; @param items those of the range */
export function pageOf<T>(path: string, query: URLSearchParams, count: number, items: readonly T[]): Page<T> {
  const { offset, limit } = rangeOf(query);
  const end = offset + items.length;
  const next = new URLSearchParams(query);
  next.set("offset", String(end));
  next.set("n", String(limit));
  return {
    count,
    offset,
    items,
    ...(end < count && limit > 0 ? { next: `${path}?${next.toString()}` } : {}),
  };
}

/** What `/status` has no room for, page by page. */
export function statusPages(details: SyncDetails): readonly ProbeDocument[] {
  const listed = (path: string, list: () => readonly unknown[]): ProbeDocument => ({
    path,
    read: (query) => {
      const { offset, limit } = rangeOf(query);
      const all = list();
      return pageOf(path, query, all.length, all.slice(offset, offset + limit));
    },
  });
  return [listed("/status/failures", () => details.failures), listed("/status/runs", () => details.runs)];
}

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
