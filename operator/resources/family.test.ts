import { array, assert, integer, property, record } from "fast-check";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { keyOf, keyText } from "../runtime/kube.ts";
import { reasons } from "../status/reasons.ts";
import { childrenIn, consentOf, discord, parentIn, placeOf, relativesOf, type Kinship } from "./family.ts";

interface Spec {
  /** `namespace/name` */
  readonly key: string;
  readonly parent?: string;
  /** Older ones have a lower one. */
  readonly age?: number;
  readonly mode?: "ReadOnly" | "ReadWrite";
  readonly letsIn?: readonly string[];
  readonly deleted?: number;
}

const time = (second: number): string => `2026-11-21T08:00:${String(second).padStart(2, "0")}Z`;

function registry({ key, parent, age = 0, mode = "ReadOnly", letsIn, deleted }: Spec): ConnectedRegistry {
  const [namespace = "", name = ""] = key.split("/");
  const [at, called = ""] = parent?.split("/") ?? [];
  const ref = at === namespace ? { name: called } : { namespace: at, name: called };
  const allowedNamespaces = letsIn?.map((one) => ({ namespace: one }));
  return {
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ConnectedRegistry",
    metadata: {
      name,
      namespace,
      creationTimestamp: time(age),
      ...(deleted === undefined ? {} : { deletionTimestamp: time(deleted) }),
    },
    spec: {
      mode,
      ...(parent === undefined ? {} : { parent: { connectedRegistryRef: ref } }),
      ...(allowedNamespaces === undefined ? {} : { children: { allowedNamespaces } }),
    },
  } as unknown as ConnectedRegistry;
}

/** In memory, as the watch caches have them. */
function kinshipOf(registries: readonly ConnectedRegistry[]): Kinship {
  const named = ({ spec, metadata }: ConnectedRegistry): string | undefined => {
    const ref = spec.parent?.connectedRegistryRef;
    return ref && keyText({ namespace: ref.namespace ?? metadata.namespace ?? "", name: ref.name });
  };
  return {
    find: (key) => registries.find((one) => keyText(keyOf(one)) === key),
    naming: (parent) => registries.filter((one) => named(one) === parent),
  };
}

/** Where each of `specs` is: `child < parent`, or why it is not where it wants to be. */
function places(specs: readonly Spec[], limit = 50): Readonly<Record<string, string | undefined>> {
  const registries = specs.map(registry);
  const kinship = kinshipOf(registries);
  return Object.fromEntries(
    registries.map((one) => {
      const { hierarchy, objection } = placeOf(one, kinship, limit);
      const parent = parentIn(one, hierarchy);
      return [keyText(keyOf(one)), parent === undefined ? objection?.reason : `< ${keyText(keyOf(parent))}`];
    }),
  );
}

describe("a registry is let in below the parent that it names", () => {
  test.each([
    {
      because: "depth has no bound",
      specs: [
        { key: "a/root" },
        { key: "a/hall", parent: "a/root" },
        { key: "a/line", parent: "a/hall" },
        { key: "a/cell", parent: "a/line" },
      ],
      then: { "a/root": undefined, "a/hall": "< a/root", "a/line": "< a/hall", "a/cell": "< a/line" },
    },
    {
      because: "there is no such parent",
      specs: [{ key: "a/hall", parent: "a/root" }],
      then: { "a/hall": "ParentNotFound" },
    },
    {
      because: "another namespace takes children only by name",
      specs: [
        { key: "a/root", letsIn: ["b"] },
        { key: "b/hall", parent: "a/root" },
        { key: "c/yard", parent: "a/root" },
      ],
      then: { "a/root": undefined, "b/hall": "< a/root", "c/yard": "ParentNotAllowed" },
    },
    {
      because: "S30 whether there is a registry elsewhere is not told to strangers",
      specs: [{ key: "c/yard", parent: "a/root" }],
      then: { "c/yard": "ParentNotAllowed" },
    },
    {
      because: "a star lets everybody in",
      specs: [
        { key: "a/root", letsIn: ["*"] },
        { key: "c/yard", parent: "a/root" },
      ],
      then: { "a/root": undefined, "c/yard": "< a/root" },
    },
    {
      because: "of two of one name the older is in, wherever they are in the tree",
      specs: [
        { key: "a/root", letsIn: ["*"] },
        { key: "a/hall", parent: "a/root", age: 1 },
        { key: "b/line", parent: "a/hall", age: 9 },
        { key: "a/line", parent: "a/root", age: 5 },
      ].map((one) => ({ letsIn: ["*"], ...one })),
      then: {
        "a/root": undefined,
        "a/hall": "< a/root",
        "a/line": "< a/root",
        "b/line": "HierarchyNameTaken",
      },
    },
    {
      because: "nobody has the name of the root",
      specs: [
        { key: "a/root", letsIn: ["*"], age: 9 },
        { key: "b/root", parent: "a/root" },
      ],
      then: { "a/root": undefined, "b/root": "HierarchyNameTaken" },
    },
    {
      because: "what hangs below one that is not let in stays with it",
      specs: [
        { key: "c/yard", parent: "a/root" },
        { key: "c/shed", parent: "c/yard" },
      ],
      then: { "c/yard": "ParentNotAllowed", "c/shed": "< c/yard" },
    },
    {
      because: "T91 those of a circle are refused, and what hangs below goes on with them",
      specs: [
        { key: "a/one", parent: "a/two" },
        { key: "a/two", parent: "a/three" },
        { key: "a/three", parent: "a/one" },
        { key: "a/below", parent: "a/two" },
      ],
      then: {
        "a/one": "ParentCycle",
        "a/two": "ParentCycle",
        "a/three": "ParentCycle",
        "a/below": "< a/two",
      },
    },
    {
      because: "one that is being deleted keeps its children and takes no more",
      specs: [
        { key: "a/root", deleted: 5 },
        { key: "a/hall", parent: "a/root", age: 1 },
        { key: "a/late", parent: "a/root", age: 6 },
      ],
      then: { "a/root": undefined, "a/hall": "< a/root", "a/late": "ParentDeleting" },
    },
  ])("$because", ({ specs, then }) => {
    expect(places(specs)).toEqual(then);
  });

  test("as long as there is room: the youngest has to wait, until another goes", () => {
    const tree = [
      { key: "a/root" },
      { key: "a/hall", parent: "a/root", age: 3 },
      { key: "a/line", parent: "a/hall", age: 1 },
      { key: "a/yard", parent: "a/root", age: 4 },
    ];
    expect(places(tree, 3)).toMatchObject({ "a/line": "< a/hall", "a/yard": "HierarchyFull" });
    expect(places(tree.slice(0, 2).concat(tree.slice(3)), 3)).toMatchObject({ "a/yard": "< a/root" });
  });

  test("T91 a circle is told in the same words at each of its members", () => {
    const specs = [
      { key: "b/two", parent: "a/one" },
      { key: "a/one", parent: "b/two" },
    ].map((one) => registry({ ...one, letsIn: ["*"] }));
    const told = specs.map((one) => placeOf(one, kinshipOf(specs), 50).objection?.message);
    expect(new Set(told)).toEqual(new Set(["The parents form a circle: a/one, b/two, a/one."]));
  });

  const trees = array(
    record({
      parent: integer({ min: -1, max: 11 }),
      age: integer({ min: 0, max: 3 }),
      name: integer({ min: 0, max: 7 }),
    }),
    { minLength: 1, maxLength: 12 },
  ).map((rows) =>
    rows.map(({ parent, age, name }, i): Spec => {
      const keyAt = (at: number): string => `ns-${String(at)}/name-${String(rows[at]?.name ?? name)}`;
      const named = parent < 0 || parent >= rows.length || parent === i ? {} : { parent: keyAt(parent) };
      return { key: keyAt(i), age, letsIn: ["*"], ...named };
    }),
  );

  test("whatever the tree: names are unique, room is kept, all of a hierarchy see the same one", () => {
    assert(
      property(trees, integer({ min: 1, max: 6 }), (specs, limit) => {
        const registries = specs.map(registry);
        const kinship = kinshipOf(registries);
        for (const one of registries) {
          const { hierarchy, objection } = placeOf(one, kinship, limit);
          const members = [...hierarchy.members.keys()];
          expect(members).toContain(keyText(keyOf(one)));
          expect(members.length).toBeLessThanOrEqual(limit);
          expect(new Set(members.map((key) => key.split("/")[1])).size).toBe(members.length);
          for (const { registry: other } of hierarchy.members.values()) {
            expect([...placeOf(other, kinship, limit).hierarchy.members.keys()].sort()).toEqual(
              members.sort(),
            );
          }
          const wants = one.spec.parent !== undefined;
          expect(parentIn(one, hierarchy) !== undefined).toBe(wants && objection === undefined);
          expect(reasons[objection?.reason ?? "ParentNotFound"].condition).toBe("ParentConfigured");
        }
      }),
    );
  });

  test("whoever is in stays in when a younger one comes", () => {
    assert(
      property(trees, integer({ min: -1, max: 11 }), integer({ min: 1, max: 6 }), (specs, at, limit) => {
        const parent = specs[at]?.key;
        const latest: Spec = { key: "ns-x/name-0", age: 9, letsIn: ["*"], ...(parent ? { parent } : {}) };
        const before = places(specs, limit);
        expect(places([...specs, latest], limit)).toMatchObject(before);
      }),
    );
  });
});

test("children are told in the order of their keys, and only those that are let in", () => {
  const specs = [
    { key: "a/root" },
    { key: "a/two", parent: "a/root" },
    { key: "a/one", parent: "a/root" },
    { key: "b/one", parent: "a/root" },
  ].map(registry);
  const { hierarchy } = placeOf(specs[0]!, kinshipOf(specs), 50);
  expect(childrenIn(specs[0]!, hierarchy).map(({ metadata }) => metadata.name)).toEqual(["one", "two"]);
});

test.each([
  { letsIn: undefined, namespace: "a", consents: true },
  { letsIn: undefined, namespace: "b", consents: false },
  { letsIn: ["b"], namespace: "b", consents: true },
  { letsIn: ["b"], namespace: "c", consents: false },
  { letsIn: ["*"], namespace: "c", consents: true },
])("a parent that lets in $letsIn takes children from $namespace: $consents", (row) => {
  const { letsIn } = row;
  const parent = registry({ key: "a/root", ...(letsIn === undefined ? {} : { letsIn }) });
  expect(consentOf(parent, row.namespace) !== undefined).toBe(row.consents);
});

test("the entry for a namespace goes before the one for all, also for the parent's own", () => {
  const parent = registry({ key: "a/root" });
  const allowedNamespaces = [
    { namespace: "*", scopeMapRef: { name: "some" } },
    { namespace: "b", scopeMapRef: { name: "more" } },
  ];
  const bounded = { ...parent, spec: { ...parent.spec, children: { allowedNamespaces } } };
  expect(consentOf(bounded, "b")).toMatchObject({ scopeMapRef: { name: "more" } });
  expect(consentOf(bounded, "c")).toMatchObject({ scopeMapRef: { name: "some" } });
  expect(consentOf(bounded, "a")).toEqual({});
});

test.each([
  { child: "ReadWrite", parent: "ReadOnly", reason: "ParentReadOnly" },
  { child: "ReadWrite", parent: "ReadWrite", reason: undefined },
  { child: "ReadOnly", parent: "ReadOnly", reason: undefined },
  { child: "ReadOnly", parent: "ReadWrite", reason: undefined },
] as const)("$child below $parent: $reason", ({ child, parent, reason }) => {
  const [one, other] = [registry({ key: "a/hall", mode: child }), registry({ key: "a/root", mode: parent })];
  expect(discord(one, other)?.reason).toBe(reason);
});

test("a change concerns all that hangs together, whether it is let in or not", () => {
  const specs = [
    { key: "a/root" },
    { key: "a/hall", parent: "a/root" },
    { key: "b/yard", parent: "a/root" },
    { key: "b/shed", parent: "b/yard" },
    { key: "c/alone" },
  ].map(registry);
  const found = relativesOf(specs[3]!, kinshipOf(specs)).map((one) => keyText(keyOf(one)));
  expect(found.sort()).toEqual(["a/hall", "a/root", "b/shed", "b/yard"]);
});
