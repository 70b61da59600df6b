import { WidgetKind, type Widget } from "./conformance.ts";
import { ObjectCache } from "./object-cache.ts";

const widget = (
  name: string,
  resourceVersion: string,
  { namespace = "edge", size = 1, uid = "u" } = {},
): Widget => ({
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata: { name, namespace, resourceVersion, uid },
  spec: { size },
});

describe("ObjectCache", () => {
  let cache: ObjectCache<Widget>;
  let told: string[];
  let errors: unknown[];

  beforeEach(() => {
    errors = [];
    told = [];
    cache = new ObjectCache((error) => errors.push(error));
    cache.subscribe((before, after) => {
      const version = (of: Widget | undefined): string => of?.metadata.resourceVersion ?? "-";
      told.push(`${(after ?? before)!.metadata.name} ${version(before)}→${version(after)}`);
    });
  });

  test.each<{ name: string; then: Widget; told: string; because: string }>([
    { name: "the same version", then: widget("a", "1"), told: "", because: "nothing changed" },
    { name: "a higher version", then: widget("a", "2"), told: "a 1→2", because: "it changed" },
    { name: "a lower version", then: widget("a", "0"), told: "a 1→0", because: "etcd was restored" },
    {
      name: "another object",
      then: widget("a", "1", { uid: "v" }),
      told: "a 1→1",
      because: "it only has the name",
    },
  ])("after $name tells [$told], because $because", ({ then, told: expected }) => {
    cache.set(widget("a", "1"));
    told.length = 0;
    cache.set(then);
    expect(told.join()).toBe(expected);
  });

  it("replaces one namespace and leaves the others", () => {
    cache.set(widget("a", "1"));
    cache.set(widget("b", "1"));
    cache.set(widget("c", "1", { namespace: "other" }));
    told.length = 0;
    cache.replace([widget("b", "2"), widget("d", "1")], "edge");
    expect(told).toEqual(["a 1→-", "b 1→2", "d -→1"]);
    expect(cache.list().map(({ metadata }) => metadata.name)).toEqual(["b", "c", "d"]);
    expect(cache.list("other").map(({ metadata }) => metadata.name)).toEqual(["c"]);
  });

  it("shows a late subscriber what is there already", () => {
    cache.set(widget("a", "1"));
    const seen: string[] = [];
    cache.subscribe((_, after) => seen.push(after!.metadata.name));
    expect(seen).toEqual(["a"]);
  });

  it("shows the change to whoever is told of it", () => {
    cache.subscribe((_, after) => {
      expect(cache.get({ namespace: "edge", name: "a" })).toBe(after);
    });
    cache.set(widget("a", "1"));
    cache.delete({ namespace: "edge", name: "a" });
    expect(errors).toEqual([]);
  });

  it("indexes what came before the index, what changed, and nothing that is gone", () => {
    cache.set(widget("a", "1"));
    const bySize = cache.index(({ spec }) => [String(spec?.size)]);
    cache.set(widget("b", "1"));
    cache.set(widget("a", "2", { size: 2 }));
    cache.delete({ namespace: "edge", name: "b" });
    expect([bySize("1"), bySize("2").map(({ metadata }) => metadata.name)]).toEqual([[], ["a"]]);
  });

  it("keeps going when a handler or an index throws", () => {
    const boom = new TypeError("boom");
    const broken = (): never => {
      throw boom;
    };
    cache.index(broken);
    cache.subscribe(broken);
    const seen: string[] = [];
    cache.subscribe((_, after) => seen.push(after!.metadata.name));
    cache.set(widget("a", "1"));
    expect(seen).toEqual(["a"]);
    expect(errors).toEqual([boom, boom]);
  });
});
