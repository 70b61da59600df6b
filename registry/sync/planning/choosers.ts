import type { RepositoryRule } from "../../../common/contract/config.ts";
import { isLiteral } from "../../../common/glob.ts";
import { parseRepository, type RepositoryName } from "../../../common/oci/reference.ts";
import type { Repositories, SyncSource } from "../../content/store.ts";
import { catalogOf } from "./catalog.ts";
import { Census } from "./census.ts";
import type { Limit } from "../copying/flights.ts";
import type { ParentView } from "../prune/parent-view.ts";
import { selectsRepository, tagSelector, type TagSelector } from "./select.ts";

/** A rule that can be followed. */
export interface Chooser {
  readonly rule: RepositoryRule;
  readonly selector: TagSelector;
  readonly census: Census;
}

/** Does `task`; if it fails, notes that as the failure of `item` and gives `undefined`. @throws the signal's reason */
export type Attempt = <T>(
  item: { readonly repository: string; readonly tag?: string },
  task: () => Promise<T>,
) => Promise<T | undefined>;

/** The rules that can be followed: one that cannot stops no other (T08). */
export async function choosersOf(
  rules: readonly RepositoryRule[],
  attempt: Attempt,
): Promise<readonly Chooser[]> {
  const choosers: Chooser[] = [];
  for (const rule of rules) {
    await attempt({ repository: rule.name }, async () => {
      choosers.push({ rule, selector: await tagSelector(rule.tags), census: new Census() });
    });
  }
  return choosers;
}

/** Every repository that the rules select at the parent, with the rules that select it. */
export async function chosenRepositories(
  choosers: readonly Chooser[],
  source: Repositories<SyncSource>,
  attempt: Attempt,
  {
    limit,
    signal,
    view,
  }: { readonly limit: Limit; readonly signal: AbortSignal; readonly view?: ParentView | undefined },
): Promise<ReadonlyMap<RepositoryName, readonly Chooser[]>> {
  const chosen = new Map<RepositoryName, Chooser[]>();
  const choose = (name: RepositoryName, chooser: Chooser): void => {
    chosen.set(name, [...(chosen.get(name) ?? []), chooser]);
  };
  for (const chooser of choosers.filter(({ rule }) => isLiteral(rule.name))) {
    const { name: text } = chooser.rule;
    const name = await attempt({ repository: text }, async () => parseRepository(text));
    if (name === undefined) chooser.census.unknown();
    else choose(name, chooser);
  }
  const patterns = choosers.filter(({ rule }) => !isLiteral(rule.name));
  const [first] = patterns;
  if (first === undefined) return chosen;
  const rules = patterns.map(({ rule }) => rule);
  const names = await attempt({ repository: first.rule.name }, () =>
    limit(() => catalogOf(source, rules, signal)),
  );
  if (names !== undefined) view?.catalog(names);
  for (const chooser of patterns) {
    if (names === undefined) chooser.census.unknown();
    for (const name of names ?? []) if (selectsRepository(chooser.rule, name)) choose(name, chooser);
  }
  return chosen;
}
