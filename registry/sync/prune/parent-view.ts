import type { RepositoryRule } from "../../../common/contract/config.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import { isLiteral } from "../../../common/glob.ts";
import { selectsRepository, type TagChoice } from "../planning/select.ts";

/** What one repository is at the parent, and by the rules. */
export interface RepositoryView {
  /** All tags that the parent has, if they were listed. */
  readonly listed: ReadonlySet<Tag> | undefined;
  /** What the rules want, whether the parent has it or not. */
  readonly selected: ReadonlySet<Tag>;
  /** What only newer tags keep the rules from wanting. */
  readonly overtaken: ReadonlySet<Tag>;
}

/** What is known of a repository that is here. */
export type Sight =
  | { readonly kind: "seen"; readonly view: RepositoryView }
  /** No rule is about it. */
  | { readonly kind: "unselected" }
  /** The parent's catalog, which has others, does not have it. */
  | { readonly kind: "gone" }
  /** Something that would have to be known could not be asked. */
  | { readonly kind: "unknown" };

/** What a pass has seen of the parent, as far as it was seen in full: what failed is not in it. */
export class ParentView {
  private readonly rules: readonly RepositoryRule[];
  private intact: ReadonlySet<RepositoryRule> = new Set();
  private readonly repositories = new Map<RepositoryName, RepositoryView>();
  private readonly absent = new Map<RepositoryName, Set<Tag>>();
  private names: ReadonlySet<RepositoryName> | undefined;

  /** @param rules by which the pass selects */
  constructor(rules: readonly RepositoryRule[]) {
    this.rules = rules;
  }

  /** The rules that can be followed: what the others would select is not known. */
  followed(rules: readonly RepositoryRule[]): void {
    this.intact = new Set(rules);
  }

  /** The parent's whole list of repositories. */
  catalog(names: readonly RepositoryName[]): void {
    this.names = new Set(names);
  }

  /** @param listed all tags of the repository; absent: the rules name all that they want @param choices one for each rule */
  repository(
    name: RepositoryName,
    listed: readonly Tag[] | undefined,
    choices: readonly TagChoice<Tag>[],
  ): void {
    const selected = new Set(choices.flatMap((choice) => choice.selected));
    const older = choices.flatMap(({ leftOut }) => [...leftOut].filter(([, why]) => why === "older"));
    this.repositories.set(name, {
      listed: listed === undefined ? undefined : new Set(listed),
      selected,
      overtaken: new Set(older.map(([tag]) => tag).filter((tag) => !selected.has(tag))),
    });
  }

  /** The parent said of this very tag that it has none. */
  missing(name: RepositoryName, tag: Tag): void {
    this.absent.set(name, (this.absent.get(name) ?? new Set()).add(tag));
  }

  /** Tags that the parent says it has not, though no list of it was read. */
  absentOf(name: RepositoryName): ReadonlySet<Tag> {
    return this.absent.get(name) ?? new Set();
  }

  /** Whether the rules select anything at all. */
  get selectsAnything(): boolean {
    return [...this.repositories.values()].some(({ selected }) => selected.size > 0);
  }

  sightOf(name: RepositoryName): Sight {
    const about = this.rules.filter((rule) => selectsRepository(rule, name));
    if (about.length === 0) return { kind: "unselected" };
    if (about.some((rule) => !this.intact.has(rule))) return { kind: "unknown" };
    const view = this.repositories.get(name);
    if (view !== undefined) return { kind: "seen", view };
    const named = about.some((rule) => isLiteral(rule.name));
    const { names } = this;
    // A registry that suddenly knows of nothing has lost its catalog rather than everything.
    const gone = !named && names !== undefined && names.size > 0 && !names.has(name);
    return { kind: gone ? "gone" : "unknown" };
  }
}
