import fc from "fast-check";
import { repositoryActions, scopeMatches, type ScopeRule } from "../../common/contract/scope.ts";
import { Permissions } from "./permissions.ts";

const name = fc
  .array(fc.constantFrom("a", "b", "ab", "a.b"), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"));
const pattern = fc.oneof(
  name,
  name.map((path) => `${path}/*`),
  fc.constant("*"),
);
const rule: fc.Arbitrary<ScopeRule> = fc.record({
  pattern,
  action: fc.constantFrom(...repositoryActions),
});

test("permissions allow exactly what one of the rules allows", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), name, (rules, repository) => {
      const permissions = new Permissions(rules);
      for (const action of repositoryActions) {
        const expected = rules.some(
          (each) => each.action === action && scopeMatches(each.pattern, repository),
        );
        expect(permissions.allow(action, repository)).toBe(expected);
      }
    }),
    { seed: 4, numRuns: 500 },
  );
});

test("ranges hold exactly the names that are allowed, in order, each once", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), fc.array(name), (rules, names) => {
      const permissions = new Permissions(rules);
      for (const action of repositoryActions) {
        const ranges = permissions.ranges(action);
        const listed = ranges.flatMap(({ from, to }) =>
          [...new Set(names)].filter((each) => each >= from && each < to).sort(),
        );
        expect(listed).toEqual([...new Set(names)].filter((each) => permissions.allow(action, each)).sort());
      }
    }),
    { seed: 4, numRuns: 500 },
  );
});
