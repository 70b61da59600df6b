import type { SyncFailure } from "../common/contract/status.ts";
import { statusPages } from "./status-pages.ts";
import { SyncDetails } from "./sync/telling/details.ts";

const details = new SyncDetails();
details.failures = Array.from({ length: 2500 }, (_, i): SyncFailure => ({
  repository: "apps/hello",
  tag: String(i),
  message: "No.",
}));
const page = (query: string): Record<string, unknown> => {
  const document = statusPages(details).find(({ path }) => path === "/status/failures")!;
  return document.read(new URLSearchParams(query)) as Record<string, unknown>;
};

test.each([
  {
    query: "",
    offset: 0,
    items: 100,
    next: "/status/failures?offset=100&n=100",
    because: "a few are enough for most",
  },
  {
    query: "n=2&offset=1",
    offset: 1,
    items: 2,
    next: "/status/failures?n=2&offset=3",
    because: "that was asked for",
  },
  {
    query: "n=99999999",
    offset: 0,
    items: 1000,
    next: "/status/failures?n=1000&offset=1000",
    because: "S01 pages are bounded",
  },
  { query: "n=1000&offset=2000", offset: 2000, items: 500, next: undefined, because: "it is the last" },
  { query: "offset=3000", offset: 3000, items: 0, next: undefined, because: "there is nothing" },
  {
    query: "n=-1&offset=1e9",
    offset: 0,
    items: 100,
    next: "/status/failures?n=100&offset=100",
    because: "S01 that is no number",
  },
])("$query: $items items from $offset on, because $because", ({ query, offset, items, next }) => {
  const found = page(query);
  expect(found).toMatchObject({ count: 2500, offset });
  expect(found.items).toHaveLength(items);
  expect(found.next).toBe(next);
});

test("following the pages shows each failure once", () => {
  const seen: unknown[] = [];
  for (let path: unknown = "/status/failures?n=700"; typeof path === "string";) {
    const found = page(path.split("?")[1]!);
    seen.push(...(found.items as unknown[]));
    path = found.next;
  }
  expect(seen).toEqual(details.failures);
});
