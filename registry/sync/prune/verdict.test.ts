import type { RepositoryRule } from "../../../common/contract/config.ts";
import { parseSettings } from "../../../common/contract/config.ts";
import { repository, tag } from "../../content/testing/images.ts";
import type { TagChoice } from "../planning/select.ts";
import type { Tag } from "../../../common/oci/reference.ts";
import { tagSelector } from "../planning/select.ts";
import { ParentView } from "./parent-view.ts";
import { Cap, verdictOn, type MissingReason, type Verdict } from "./verdict.ts";

const rulesOf = (...repositories: readonly object[]): readonly RepositoryRule[] =>
  parseSettings({ version: 1, name: "edge", sync: { repositories } }).sync?.repositories ?? [];
const tags = (text: string): Tag[] => text.split(" ").filter(Boolean).map(tag);
const name = repository("apps/hello");

interface Seen {
  readonly rules: readonly object[];
  /** Of apps/hello; absent: nobody asked. */
  readonly listed?: string;
  readonly catalog?: string;
  /** Whether the rules were followed, and apps/hello was looked at. */
  readonly looked?: boolean;
}

/** A view as a pass makes it. */
async function viewOf({ rules: texts, listed, catalog, looked = true }: Seen): Promise<ParentView> {
  const rules = rulesOf(...texts);
  const view = new ParentView(rules);
  view.followed(looked ? rules : []);
  if (catalog !== undefined) view.catalog(catalog.split(" ").filter(Boolean).map(repository));
  const choices: TagChoice<Tag>[] = [];
  for (const rule of rules) {
    if (!["apps/hello", "apps/*"].includes(rule.name)) continue;
    const selector = await tagSelector(rule.tags);
    choices.push(await selector.choose(selector.names?.map(tag) ?? tags(listed ?? "")));
  }
  if (listed !== undefined || (choices.length > 0 && catalog === undefined)) {
    view.repository(name, listed === undefined ? undefined : tags(listed), choices);
  }
  return view;
}

const all = { name: "apps/*" };
const newest = { name: "apps/*", tags: { newest: { count: 2 } } };

describe("what the parent and the rules say of the tags 1.0.0, 2.0.0 and 3.0.0 of apps/hello", () => {
  const here = tags("1.0.0 2.0.0 3.0.0");

  test.each<Seen & { because: string; missing: Readonly<Record<string, MissingReason>>; kept: number }>([
    { because: "all are there", rules: [all], listed: "1.0.0 2.0.0 3.0.0", missing: {}, kept: 3 },
    {
      because: "the parent deleted one",
      rules: [all],
      listed: "2.0.0 3.0.0",
      missing: { "1.0.0": "gone" },
      kept: 2,
    },
    {
      because: "the rules leave one out",
      rules: [{ name: "apps/*", tags: { exclude: ["2*"] } }],
      listed: "1.0.0 2.0.0 3.0.0",
      missing: { "2.0.0": "unselected" },
      kept: 2,
    },
    {
      because: "a newer one has taken the place of one",
      rules: [newest],
      listed: "1.0.0 2.0.0 3.0.0 4.0.0",
      missing: { "1.0.0": "overtaken", "2.0.0": "overtaken" },
      kept: 1,
    },
    {
      because: "one rule leaves out what another selects",
      rules: [newest, { name: "apps/hello", tags: { include: ["1.0.0"] } }],
      listed: "1.0.0 2.0.0 3.0.0",
      missing: {},
      kept: 3,
    },
    {
      because: "the rules name all that they want, and nobody asked for a list",
      rules: [{ name: "apps/hello", tags: { include: ["1.0.0", "2.0.0"] } }],
      missing: { "3.0.0": "unselected" },
      kept: 2,
    },
    {
      because: "what they name is gone, as a list proves",
      rules: [{ name: "apps/hello", tags: { include: ["1.0.0", "2.0.0"] } }],
      listed: "2.0.0 3.0.0",
      missing: { "1.0.0": "gone", "3.0.0": "unselected" },
      kept: 1,
    },
    {
      because: "T12 no rule is about the repository any more",
      rules: [{ name: "other/*" }],
      catalog: "other/a apps/hello",
      missing: { "1.0.0": "unselected", "2.0.0": "unselected", "3.0.0": "unselected" },
      kept: 0,
    },
    {
      because: "the parent's catalog has the repository no more",
      rules: [all],
      catalog: "apps/other",
      missing: { "1.0.0": "gone", "2.0.0": "gone", "3.0.0": "gone" },
      kept: 0,
    },
  ])("$because", async ({ missing, kept, ...seen }) => {
    const verdict = verdictOn(here, (await viewOf(seen)).sightOf(name)) as Verdict;
    expect(Object.fromEntries(verdict.missing)).toEqual(missing);
    expect(verdict).toMatchObject({ kept, total: 3 });
  });

  test.each<Seen & { because: string; says: string | undefined }>([
    { because: "T19 the list is empty", rules: [all], listed: "", says: "the parent lists no tags of it" },
    {
      because: "T19 the rules suddenly select nothing of it",
      rules: [{ name: "apps/*", tags: { include: ["v*"] } }],
      listed: "1.0.0 2.0.0 3.0.0",
      says: "the rules select none of its tags",
    },
    { because: "T19 its tags could not be listed", rules: [all], catalog: "apps/hello", says: undefined },
    { because: "T19 the catalog is empty", rules: [all], catalog: "", says: undefined },
    {
      because: "T19 a rule about it cannot be followed",
      rules: [all],
      listed: "2.0.0 3.0.0",
      looked: false,
      says: undefined,
    },
    {
      because: "a repository that the rules name is not looked for in the catalog",
      rules: [{ name: "apps/hello" }],
      catalog: "apps/other",
      says: undefined,
    },
  ])("nothing is said: $because", async ({ says, ...seen }) => {
    expect(verdictOn(here, (await viewOf(seen)).sightOf(name))).toEqual({ because: says });
  });
});

describe("the cap", () => {
  const verdict = (total: number, gone: number, overtaken = 0, whole = false): Verdict => ({
    missing: new Map([
      ...Array.from({ length: gone }, (_, n) => [tag(`gone-${n}`), "gone"] as const),
      ...Array.from({ length: overtaken }, (_, n) => [tag(`old-${n}`), "overtaken"] as const),
    ]),
    ...{ total, kept: total - gone - overtaken, whole },
  });

  test.each([
    { because: "a tenth may go", of: verdict(100, 10), exceeded: false },
    { because: "more may not", of: verdict(100, 11), exceeded: true },
    { because: "one may always go", of: verdict(3, 1), exceeded: false },
    { because: "two of three may not", of: verdict(3, 2), exceeded: true },
    { because: "what was overtaken does not count", of: verdict(30, 1, 10), exceeded: false },
    { because: "unless that is more than is kept", of: verdict(30, 1, 15), exceeded: true },
    {
      because: "a whole repository is judged with all others",
      of: verdict(10, 10, 0, true),
      exceeded: false,
    },
  ])("in one repository: $because", ({ of, exceeded }) => {
    expect(new Cap(10).exceededBy(of)).toBe(exceeded);
  });

  test.each([
    { because: "a tenth of all may go", of: [verdict(50, 5), verdict(50, 5)], exceeded: false },
    { because: "more may not", of: [verdict(50, 5), verdict(40, 4), verdict(1, 1)], exceeded: true },
    {
      because: "a small repository may go as a whole",
      of: [verdict(90, 0), verdict(9, 9, 0, true)],
      exceeded: false,
    },
    { because: "a large one may not", of: [verdict(50, 0), verdict(50, 50, 0, true)], exceeded: true },
    { because: "nothing is nothing", of: [], exceeded: false },
  ])("in all: $because", ({ of, exceeded }) => {
    expect(new Cap(10).exceededByAll(of)).toBe(exceeded);
  });

  test("a hundred percent is everything", () => {
    expect(new Cap(100).exceededBy(verdict(3, 3))).toBe(false);
    expect(new Cap(100).exceededByAll([verdict(3, 3)])).toBe(false);
  });
});
