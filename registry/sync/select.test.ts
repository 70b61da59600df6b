import type { RepositoryRule } from "../../common/contract/config.ts";
import { namedTags, selectsTag } from "./select.ts";

const rule = (include: string[], exclude: string[] = []): RepositoryRule => ({
  name: "apps/hello",
  tags: { include, exclude },
  platforms: [],
  referrers: true,
});

test.each([
  { rule: rule(["*"]), tag: "latest", selected: true, because: "everything is included" },
  { rule: rule(["1.*", "2.*"]), tag: "2.0", selected: true, because: "one pattern is enough" },
  { rule: rule(["1.*"]), tag: "2.0", selected: false, because: "no pattern matches" },
  { rule: rule(["*"], ["*-rc*"]), tag: "1.0-rc1", selected: false, because: "it is excluded (T09)" },
  {
    rule: rule(["*"]),
    tag: `sha256-${"a".repeat(64)}`,
    selected: false,
    because: "it holds referrers and is no tag of an image (T17f)",
  },
  {
    rule: rule(["*"]),
    tag: `sha256-${"a".repeat(64)}.sig`,
    selected: true,
    because: "cosign finds its signature under it",
  },
])("$tag: $selected, $because", ({ rule: given, tag, selected }) => {
  expect(selectsTag(given, tag)).toBe(selected);
});

test("a rule that names its tags needs no list, unless one of them is a pattern", () => {
  expect(namedTags(rule(["1.0", "1.1"], ["1.1"]))).toEqual(["1.0"]);
  expect(namedTags(rule(["1.0", "2.*"]))).toBeUndefined();
});
