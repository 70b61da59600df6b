import {
  gatewayActions,
  isScopePattern,
  repositoryActions,
  type RepositoryAction,
  type ScopeRule,
} from "../../common/contract/scope.ts";
import type { RegistryMode } from "../../common/contract/config.ts";

/** For each action the patterns of the repositories that it is allowed on: sorted, and none that another one covers. */
export type Rights = ReadonlyMap<RepositoryAction, readonly string[]>;

/** What a registry may do with all repositories. */
export function everythingIn(mode: RegistryMode): Rights {
  return new Map(actionsIn(mode).map((action) => [action, ["*"]]));
}

/** What `rules` of a scope map allow together. */
export function rightsOf(rules: readonly ScopeRule[]): Rights {
  const patterns = Map.groupBy(rules, ({ action }) => action);
  return new Map([...patterns].map(([action, of]) => [action, coverOf(of.map(({ pattern }) => pattern))]));
}

/** What a registry in `mode` needs to sync repositories that match `globs`. */
export function rightsToSync(globs: readonly string[], mode: RegistryMode): Rights {
  const patterns = coverOf(globs.map(patternOf).filter(isScopePattern));
  return new Map(actionsIn(mode).map((action) => [action, patterns]));
}

/** What any of `all` allows. */
export function unionOf(all: readonly Rights[]): Rights {
  return combined((action) => coverOf(all.flatMap((rights) => rights.get(action) ?? [])));
}

/** What both allow. */
export function intersectionOf(a: Rights, b: Rights): Rights {
  return combined((action) => {
    const [first, second] = [new Set(a.get(action)), new Set(b.get(action))];
    return coverOf([
      ...[...first].filter((pattern) => covers(second, pattern)),
      ...[...second].filter((pattern) => covers(first, pattern)),
    ]);
  });
}

/** What `a` allows to read and `b` does not, as patterns of `a`. */
export function lacking(a: Rights, b: Rights): readonly string[] {
  const present = new Set(b.get("content/read"));
  return (a.get("content/read") ?? []).filter((pattern) => !covers(present, pattern));
}

/** Every pattern in `rights`. */
export function patternsIn(rights: Rights): readonly string[] {
  return [...new Set([...rights.values()].flat())].sort();
}

/** What is known of a hierarchy when it comes to rights. */
export interface RightsOfKin<T> {
  /** What a registry wants for itself. */
  readonly own: (one: T) => Rights;
  /** What it, and all below it, may have at most: as it says itself, as its parent does, and as both their modes allow. */
  readonly bound: (one: T) => Rights;
  /** Those that are let in below it. */
  readonly children: (one: T) => readonly T[];
  /** Those above it that are children themselves. */
  readonly ancestors: (one: T) => readonly T[];
}

/**
 * What the sync token of `child` allows at its parent: what it wants, and those below it, as far as its bound and that of
 * everybody above it go. Nothing of it is stored: a registry that goes takes its share along.
 */
export function syncRights<T>(child: T, kin: RightsOfKin<T>): Rights {
  return kin
    .ancestors(child)
    .reduce((rights, ancestor) => intersectionOf(rights, kin.bound(ancestor)), neededBy(child, kin));
}

function neededBy<T>(one: T, kin: RightsOfKin<T>): Rights {
  const below = kin.children(one).map((child) => neededBy(child, kin));
  return intersectionOf(unionOf([kin.own(one), ...below]), kin.bound(one));
}

/** `rights` as a scope map of ACR has them, with those on the gateways of the registries called `gateways`. */
export function scopesOf(rights: Rights, gateways: readonly string[]): readonly string[] {
  return [
    ...repositoryActions.flatMap((action) =>
      (rights.get(action) ?? []).map((pattern) => `repositories/${pattern}/${action}`),
    ),
    ...gateways.flatMap((name) => gatewayActions.map((action) => `gateway/${name}/${action}`)),
  ];
}

function actionsIn(mode: RegistryMode): readonly RepositoryAction[] {
  return mode === "ReadWrite" ? repositoryActions : ["content/read", "metadata/read"];
}

function combined(patternsOf: (action: RepositoryAction) => readonly string[]): Rights {
  const entries = repositoryActions.map((action) => [action, patternsOf(action)] as const);
  return new Map(entries.filter(([, patterns]) => patterns.length > 0));
}

/** The narrowest pattern of a scope that holds for whatever `glob` matches. */
function patternOf(glob: string): string {
  const star = glob.indexOf("*");
  return star < 0 ? glob : `${glob.slice(0, glob.lastIndexOf("/", star) + 1)}*`;
}

/** `patterns`, sorted, without those that others of them cover. */
function coverOf(patterns: readonly string[]): readonly string[] {
  const all = new Set(patterns);
  return [...all]
    .filter((pattern) => ![...wider(pattern)].some((other) => other !== pattern && all.has(other)))
    .sort();
}

function covers(patterns: ReadonlySet<string>, pattern: string): boolean {
  return patterns.has(pattern) || [...wider(pattern)].some((other) => patterns.has(other));
}

/** The patterns that cover `pattern`: itself, if it is a path, and the paths above it. */
function* wider(pattern: string): Generator<string> {
  yield "*";
  for (let slash = pattern.indexOf("/"); slash >= 0; slash = pattern.indexOf("/", slash + 1)) {
    yield `${pattern.slice(0, slash)}/*`;
  }
}
