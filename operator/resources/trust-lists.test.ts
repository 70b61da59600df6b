import { maxTrustLists } from "../../common/contract/trust.ts";
import { distribute } from "./trust-lists.ts";

/** Entries of `size` bytes, their key included. */
const entries = (count: number, size: number, first = 0): Map<string, string> =>
  new Map(
    Array.from({ length: count }, (_, n) => {
      const key = `edge.registry-${String(first + n).padStart(5, "0")}`;
      return [key, "x".repeat(size - key.length)];
    }),
  );
const kib = 1024;
const keysOf = (lists: readonly ReadonlyMap<string, string>[]) => lists.map((list) => [...list.keys()]);
const bytesOf = (list: ReadonlyMap<string, string>): number =>
  [...list].reduce((sum, [key, entry]) => sum + key.length + entry.length, 0);

describe("distribute", () => {
  it("has one list, even of nothing", () => {
    expect(distribute(new Map(), [])).toEqual({ lists: [new Map()], gaining: new Set(), leftOut: [] });
  });

  it("has room for thousands of registries, in lists that a ConfigMap holds, and again as much in each", () => {
    const { lists, leftOut } = distribute(entries(5000, 1300), []);
    expect(leftOut).toEqual([]);
    expect(lists.flatMap((list) => [...list.keys()]).sort()).toEqual([...entries(5000, 1300).keys()]);
    for (const list of lists) expect(bytesOf(list)).toBeLessThanOrEqual(512 * kib);
  });

  it("changes one list when one registry comes, changes or goes", () => {
    const all = entries(1000, 1300);
    const before = distribute(all, []).lists;
    expect(before.length).toBeGreaterThan(1);
    for (const change of [
      (given: Map<string, string>) => given.set("edge.another", "x"),
      (given: Map<string, string>) => given.set("edge.registry-00007", "another"),
      (given: Map<string, string>) => given.delete("edge.registry-00007"),
    ]) {
      const given = new Map(all);
      change(given);
      const { lists } = distribute(given, keysOf(before));
      expect(
        lists.filter((list, at) => JSON.stringify([...list]) !== JSON.stringify([...before[at]!])),
      ).toHaveLength(1);
    }
  });

  it("moves nothing while every authority is replaced, when each entry says two", () => {
    const before = distribute(entries(1000, 1100), []).lists;
    const { lists, gaining } = distribute(entries(1000, 1900), keysOf(before));
    expect(keysOf(lists)).toEqual(keysOf(before));
    expect(gaining.size).toBe(0);
    for (const list of lists) expect(bytesOf(list)).toBeLessThan(1024 * kib);
  });

  it("moves what no longer fits, and says where to: there it is to be written first", () => {
    const before = distribute(entries(5, 100 * kib), []).lists;
    const { lists, gaining, leftOut } = distribute(entries(5, 300 * kib), keysOf(before));
    expect(lists.map((list) => list.size)).toEqual([3, 1, 1]);
    expect(gaining).toEqual(new Set([1, 2]));
    expect(leftOut).toEqual([]);
  });

  it("keeps a list that is empty now, and fills it before it makes another", () => {
    const { lists } = distribute(entries(1, kib), [[], ["edge.gone"]]);
    expect(lists.map((list) => list.size)).toEqual([1, 0]);
  });

  it("says for whom there is no room", () => {
    const { lists, leftOut } = distribute(entries(maxTrustLists + 1, 500 * kib), []);
    expect(lists).toHaveLength(maxTrustLists);
    expect(leftOut).toEqual([[...entries(maxTrustLists + 1, 500 * kib).keys()].at(-1)]);
  });
});
