import fc from "fast-check";
import { parseScope } from "../common/contract/scope.ts";
import { schemas } from "./testing/structural.ts";

/**
 * The expressions with which the schema of a ScopeMap looks at an action. RE2 and JavaScript read them alike, but for
 * where they say that letter case does not matter.
 */
const rules = schemas
  .get("ScopeMap")!
  .properties!.spec!.properties!.actions!.items!["x-kubernetes-validations"]!.map(({ rule }) => rule);

function admitted(action: string): boolean {
  return rules.every((rule) =>
    rule.split(" || ").some((part) => {
      const [, not, expression = ""] = /^(!?)self\.matches\('(.*)'\)$/.exec(part.trim()) ?? [];
      return new RegExp(expression.replace("(?i:", "(?:"), "i").test(action) !== (not === "!");
    }),
  );
}

function understood(action: string): boolean {
  try {
    parseScope(action);
    return true;
  } catch {
    return false;
  }
}

describe("what the API server admits as an action is what the registry understands:", () => {
  it.each([
    { action: "repositories/apps/hello/content/read", good: true },
    { action: "Repositories/APPS/*/Metadata/Write", good: true },
    { action: "repositories/*/content/delete", good: true },
    { action: "repositories/a__b/c-----d/e.f_g/content/write", good: true },
    { action: "repositories/a..b/content/read", good: false },
    { action: "repositories/a___b/content/read", good: false },
    { action: "repositories/a._b/content/read", good: false },
    { action: "repositories/a-_b/content/read", good: false },
    { action: "repositories/content/read", good: false },
    { action: "repositories//content/read", good: false },
    { action: "repositories/a*/content/read", good: false },
    { action: "repositories/*/a/content/read", good: false },
    { action: "repositories/apps/pull", good: false },
    { action: "gateway/hall/config/read", good: false },
  ])("$action", ({ action, good }) => {
    expect([admitted(action), understood(action)]).toEqual([good, good]);
  });

  it("whatever it is", () => {
    const piece = fc.constantFrom("a", "b1", ".", "_", "__", "-", "--", "/", "*", "/*", "A", "é", " ");
    const name = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
    const action = fc.constantFrom("content/read", "metadata/write", "Content/Delete", "metadata/delete");
    fc.assert(
      fc.property(name, action, (path, end) => {
        const text = `repositories/${path}/${end}`;
        expect(admitted(text)).toBe(understood(text));
      }),
      { numRuns: 2000, seed: 6 },
    );
  });
});
