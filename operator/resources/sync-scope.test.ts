import { array, assert, constantFrom, property, record, integer } from "fast-check";
import { matchesGlob } from "../../common/glob.ts";
import {
  parseGatewayScope,
  parseScope,
  scopeMatches,
  type RepositoryAction,
} from "../../common/contract/scope.ts";
import {
  everythingIn,
  intersectionOf,
  lacking,
  patternsIn,
  rightsOf,
  rightsToSync,
  scopesOf,
  syncRights,
  unionOf,
  type Rights,
} from "./sync-scope.ts";

const segments = ["a", "b", "a-b"];
const names = segments.flatMap((one) => [one, ...segments.map((two) => `${one}/${two}`)]);
const deep = [...names, ...names.map((name) => `${name}/c`)];
const patterns = constantFrom("*", ...names, ...names.map((name) => `${name}/*`));
const actions = constantFrom<RepositoryAction>("content/read", "content/write", "metadata/read");
const rights = array(record({ pattern: patterns, action: actions }), { maxLength: 6 }).map(rightsOf);

function allows(of: Rights, action: RepositoryAction, name: string): boolean {
  return (of.get(action) ?? []).some((pattern) => scopeMatches(pattern, name));
}

/** Whether what `of` allows is what `expected` says, name by name. */
function expectAllowed(of: Rights, expected: (action: RepositoryAction, name: string) => boolean): void {
  for (const action of ["content/read", "content/write", "metadata/read"] as const) {
    for (const name of deep) {
      expect([action, name, allows(of, action, name)]).toEqual([action, name, expected(action, name)]);
    }
  }
}

describe("rights", () => {
  test("meet, and join, as what they allow does, name by name", () => {
    assert(
      property(rights, rights, (a, b) => {
        expectAllowed(
          intersectionOf(a, b),
          (action, name) => allows(a, action, name) && allows(b, action, name),
        );
        expectAllowed(unionOf([a, b]), (action, name) => allows(a, action, name) || allows(b, action, name));
      }),
    );
  });

  test("say nothing twice, and the same in the same words", () => {
    assert(
      property(rights, (one) => {
        for (const cover of unionOf([one]).values()) {
          expect([...cover].sort()).toEqual(cover);
          for (const pattern of cover) {
            const others = rightsOf(
              cover
                .filter((other) => other !== pattern)
                .map((other) => ({ pattern: other, action: "content/read" })),
            );
            expect(lacking(rightsOf([{ pattern, action: "content/read" }]), others)).toEqual([pattern]);
          }
        }
        expect(intersectionOf(one, one)).toEqual(unionOf([one]));
      }),
    );
  });

  test.each([
    { glob: "apps/hello", pattern: "apps/hello" },
    { glob: "apps/*", pattern: "apps/*" },
    { glob: "apps/**", pattern: "apps/*" },
    { glob: "apps/web-*", pattern: "apps/*" },
    { glob: "apps/*/base", pattern: "apps/*" },
    { glob: "app*", pattern: "*" },
    { glob: "**", pattern: "*" },
  ])("to sync $glob are those on $pattern", ({ glob, pattern }) => {
    expect(rightsToSync([glob], "ReadOnly").get("content/read")).toEqual([pattern]);
  });

  test("to sync allow whatever the policy's patterns match", () => {
    const globs = constantFrom(...names, "*", "**", "a/*", "a/**", "a*", "a/b*", "*/b", "a-*/c");
    assert(
      property(array(globs, { minLength: 1, maxLength: 4 }), (chosen) => {
        const needed = rightsToSync(chosen, "ReadOnly");
        for (const name of deep.filter((each) => chosen.some((glob) => matchesGlob(glob, each)))) {
          expect([name, allows(needed, "content/read", name)]).toEqual([name, true]);
        }
      }),
    );
  });

  test("leave out what no repository can be called", () => {
    expect(rightsToSync(["Apps/Hello", "apps/hello"], "ReadOnly").get("metadata/read")).toEqual([
      "apps/hello",
    ]);
  });

  test("of a ReadOnly registry are to read, of a ReadWrite one all", () => {
    expect([...everythingIn("ReadOnly").keys()]).toEqual(["content/read", "metadata/read"]);
    expect(everythingIn("ReadWrite").size).toBe(5);
  });
});

/** root → hall → line → cell, as ACR's documents tell it. */
interface Node {
  readonly name: string;
  readonly own: Rights;
  readonly bound: Rights;
  readonly children: readonly Node[];
}

function tokenOf(path: readonly Node[]): Rights {
  const child = path.at(-1)!;
  return syncRights(child, {
    own: (one) => one.own,
    bound: (one) => one.bound,
    children: (one) => one.children,
    ancestors: () => path.slice(0, -1),
  });
}

function node(name: string, globs: readonly string[], children: readonly Node[] = [], bound?: Rights): Node {
  return { name, own: rightsToSync(globs, "ReadOnly"), bound: bound ?? everythingIn("ReadOnly"), children };
}

describe("a sync token", () => {
  const cell = node("cell", ["apps/cell"]);
  const line = node("line", ["apps/line"], [cell]);
  const hall = node("hall", ["base/*"], [line]);

  test("allows what the registry syncs, and those below it", () => {
    expect(patternsIn(tokenOf([hall]))).toEqual(["apps/cell", "apps/line", "base/*"]);
    expect(patternsIn(tokenOf([hall, line]))).toEqual(["apps/cell", "apps/line"]);
    expect(patternsIn(tokenOf([hall, line, cell]))).toEqual(["apps/cell"]);
  });

  test("loses with the scope map of a registry above what that loses, and so do all below it", () => {
    const narrow = node(
      "hall",
      ["base/*"],
      [line],
      rightsOf([parseScope("repositories/apps/line/content/read")]),
    );
    expect(patternsIn(tokenOf([narrow]))).toEqual(["apps/line"]);
    expect(patternsIn(tokenOf([narrow, line]))).toEqual(["apps/line"]);
    expect(patternsIn(tokenOf([narrow, line, cell]))).toEqual([]);
  });

  const bounds = integer({ min: 0, max: 3 }).chain((at) =>
    rights.map((some) => (at === 0 ? some : everythingIn("ReadWrite"))),
  );
  const leaves = record({ own: rights, bound: bounds }).map((one): Node => ({
    name: "x",
    ...one,
    children: [],
  }));
  const grow = (below: typeof leaves): typeof leaves =>
    record({ own: rights, bound: bounds, children: array(below, { maxLength: 3 }) }).map((one) => ({
      name: "x",
      ...one,
    }));
  const trees = grow(grow(leaves));

  test("of a parent allows at its own parent all that it lets its children have", () => {
    assert(
      property(trees, (top) => {
        for (const child of top.children) {
          expect(intersectionOf(tokenOf([top, child]), tokenOf([top]))).toEqual(tokenOf([top, child]));
        }
      }),
    );
  });

  test("is, once a child has gone, as if that had never been", () => {
    assert(
      property(trees, leaves, (top, child) => {
        const with_ = { ...top, children: [...top.children, child] };
        expect(tokenOf([{ ...with_, children: with_.children.slice(0, -1) }])).toEqual(tokenOf([top]));
        const more = unionOf([
          tokenOf([top]),
          intersectionOf(intersectionOf(child.own, child.bound), top.bound),
        ]);
        expect(tokenOf([with_])).toEqual(more);
      }),
    );
  });

  test("never goes beyond the bound of anybody above", () => {
    assert(
      property(trees, (top) => {
        for (const child of top.children) {
          const token = tokenOf([top, child]);
          expect(intersectionOf(token, intersectionOf(top.bound, child.bound))).toEqual(token);
        }
      }),
    );
  });

  test("is written as a scope map of ACR, with the gateways of the registry and those below it", () => {
    const scopes = scopesOf(tokenOf([hall, line]), ["line", "cell1"]);
    expect(scopes).toEqual([
      "repositories/apps/cell/content/read",
      "repositories/apps/line/content/read",
      "repositories/apps/cell/metadata/read",
      "repositories/apps/line/metadata/read",
      ...["line", "cell1"].flatMap((name) =>
        ["config/read", "config/write", "message/read", "message/write"].map(
          (one) => `gateway/${name}/${one}`,
        ),
      ),
    ]);
    for (const scope of scopes.slice(0, 4)) expect(() => parseScope(scope)).not.toThrow();
    expect(scopes.slice(-4).map(parseGatewayScope)).toContainEqual({
      registry: "cell1",
      action: "config/read",
    });
  });
});
