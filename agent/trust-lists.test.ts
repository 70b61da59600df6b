import type { ClusterApi } from "../common/cluster/api.ts";
import { trustListsAnnotation } from "../common/contract/trust.ts";
import { eventually } from "../common/testing/eventually.ts";
import { TrustLists } from "./trust-lists.ts";

const path = "/api/v1/namespaces/system/configmaps";

/** What nobody put. */
const nothing = {};

/** ConfigMaps that a test changes by hand; whoever follows one is told of it at once. */
class Objects implements Pick<ClusterApi, "follow"> {
  /** Who is followed now. */
  readonly followed = new Set<string>();
  private readonly objects = new Map<string, unknown>();
  private wake = Promise.withResolvers<true>();

  put(name: string, object: unknown): void {
    this.objects.set(name, object);
    this.wake.resolve(true);
    this.wake = Promise.withResolvers();
  }

  async *follow<T>(at: string, name: string, signal: AbortSignal): AsyncGenerator<T | undefined> {
    expect(at).toBe(path);
    this.followed.add(name);
    const aborted = new Promise<false>((resolve) => {
      signal.addEventListener("abort", () => {
        resolve(false);
      });
    });
    const changed = (promise: Promise<true>): Promise<boolean> => Promise.race([promise, aborted]);
    let last: unknown = nothing;
    let next: Promise<true>;
    do {
      next = this.wake.promise;
      const present = this.objects.get(name);
      if (this.objects.has(name) && present !== last) yield present as T | undefined;
      last = present;
    } while (!signal.aborted && (await changed(next)));
    this.followed.delete(name);
  }
}

describe("TrustLists", () => {
  let objects: Objects;
  let told: (object | undefined)[];
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    objects = new Objects();
    told = [];
    stop = new AbortController();
    const lists = new TrustLists(objects, { namespace: "system", configMap: "trust" });
    running = lists.run(stop.signal, (entries) => told.push(entries));
  });

  afterEach(async () => {
    stop.abort();
    await running;
    expect([...objects.followed]).toEqual([]);
  });

  const first = (count: string | undefined, data: object = { a: "1" }) => ({
    metadata: count === undefined ? {} : { annotations: { [trustListsAnnotation]: count } },
    data,
  });
  const tells = (entries: object | undefined): Promise<void> =>
    eventually(
      () => told.length > 0 && JSON.stringify(told.at(-1)) === JSON.stringify(entries),
      JSON.stringify(entries),
    );

  test.each([undefined, "1", "0", "17", "many"])("is one list where the first says %j", async (count) => {
    objects.put("trust", first(count));
    await tells({ a: "1" });
    expect([...objects.followed]).toEqual(["trust"]);
  });

  test("tells of all that the first says there are, once each has been read", async () => {
    objects.put("trust", first("3"));
    objects.put("trust-1", { data: { b: "2" } });
    await eventually(() => objects.followed.size === 3);
    expect(told).toEqual([]);
    objects.put("trust-2", {});
    await tells({ a: "1", b: "2" });
    expect(told).toHaveLength(1);
    objects.put("trust-2", { data: { c: "3" } });
    await tells({ a: "1", b: "2", c: "3" });
  });

  test("says nothing of what vanished from one list before the list that it may have moved to is read", async () => {
    objects.put("trust", first("1", { a: "1", b: "2" }));
    await tells({ a: "1", b: "2" });
    objects.put("trust", first("2", { a: "1" }));
    await eventually(() => objects.followed.has("trust-1"));
    expect(told).toHaveLength(1);
    objects.put("trust-1", { data: { b: "2" } });
    await eventually(() => told.length === 2);
    expect(told[1]).toEqual({ a: "1", b: "2" });
  });

  test("is nothing at all while one is missing: lost is not empty", async () => {
    objects.put("trust", first("2"));
    objects.put("trust-1", undefined);
    await tells(undefined);
    objects.put("trust-1", { data: { b: "2" } });
    await tells({ a: "1", b: "2" });
    objects.put("trust", undefined);
    await tells(undefined);
    expect(objects.followed.has("trust-1")).toBe(true);
  });

  test("forgets the lists that are no longer counted", async () => {
    objects.put("trust", first("2"));
    objects.put("trust-1", { data: { b: "2" } });
    await tells({ a: "1", b: "2" });
    objects.put("trust", first("1"));
    await tells({ a: "1" });
    await eventually(() => !objects.followed.has("trust-1"));
    objects.put("trust-1", { data: { b: "3" } });
    objects.put("trust", first("1", { a: "2" }));
    await tells({ a: "2" });
    expect(told).not.toContainEqual({ a: "1", b: "3" });
  });
});
