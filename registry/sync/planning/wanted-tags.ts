import { parseTag, type RepositoryName, type Tag } from "../../../common/oci/reference.ts";
import type { LeftOut } from "../../../common/selection/left-out.ts";
import type { Repositories, SyncSource } from "../../content/store.ts";
import { AttachedTags } from "../referrers/attached-tags.ts";
import type { Attempt, Chooser } from "./choosers.ts";
import type { Limit } from "../copying/flights.ts";
import type { ParentView } from "../prune/parent-view.ts";
import type { TagChoice } from "./select.ts";
import { wishOf, type Wish } from "./wish.ts";

/** A tag that rules select by its name. */
export interface WantedTag {
  readonly tag: Tag;
  /** Of each rule that selects it. */
  readonly wishes: readonly Wish[];
}

/** What rules select of one repository. */
interface WantedTags {
  readonly tags: readonly WantedTag[];
  readonly attached: AttachedTags;
}

export interface WantedOptions {
  readonly limit: Limit;
  /** Told of each tag that no rule selects by its name, and why the first rule does not. */
  readonly leftOut?: (repository: RepositoryName, tag: Tag, reason: LeftOut) => void;
  /** Told what was seen of the parent. */
  readonly view?: ParentView | undefined;
  readonly signal: AbortSignal;
}

/** Every selected tag of one repository; `undefined` if that could not be found out. A list is read only where a rule has a pattern. */
export async function wantedTags(
  source: Repositories<SyncSource>,
  name: RepositoryName,
  choosers: readonly Chooser[],
  attempt: Attempt,
  options: WantedOptions,
): Promise<WantedTags | undefined> {
  const { limit, signal } = options;
  const list = (): Promise<readonly Tag[]> => limit(() => collect(source.open(name).tags(signal)));
  const named = choosers.every(({ selector }) => selector.names !== undefined);
  const found = await attempt({ repository: name }, async () => {
    const listed = named ? undefined : await list();
    const attached = new AttachedTags(listed === undefined ? list : async () => listed);
    return { tags: await chosen(name, choosers, listed, options), attached };
  });
  if (found === undefined) for (const { census } of choosers) census.unknown();
  return found;
}

async function chosen(
  name: RepositoryName,
  choosers: readonly Chooser[],
  listed: readonly Tag[] | undefined,
  { leftOut: tell, view, signal }: WantedOptions,
): Promise<readonly WantedTag[]> {
  const choices: TagChoice<Tag>[] = [];
  const wishes = new Map<Tag, Wish[]>();
  const leftOut = new Map<Tag, LeftOut>();
  for (const { rule, selector, census } of choosers) {
    const wish = wishOf(rule, census);
    const choice = await selector.choose(selector.names?.map(parseTag) ?? listed ?? [], signal);
    choices.push(choice);
    census.add(choice);
    for (const tag of choice.selected) wishes.set(tag, [...(wishes.get(tag) ?? []), wish]);
    if (tell === undefined) continue;
    for (const [tag, reason] of choice.leftOut) if (!leftOut.has(tag)) leftOut.set(tag, reason);
  }
  for (const [tag, reason] of leftOut) if (!wishes.has(tag)) tell?.(name, tag, reason);
  view?.repository(name, listed, choices);
  return [...wishes].map(([tag, some]) => ({ tag, wishes: some }));
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
