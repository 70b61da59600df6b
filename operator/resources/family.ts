import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { keyOf, keyText } from "../runtime/kube.ts";
import type { Reason } from "../status/reasons.ts";

/** The registries as they name each other: by key text, and by the key text of the parent that they name. */
export interface Kinship {
  readonly find: (key: string) => ConnectedRegistry | undefined;
  readonly naming: (parent: string) => readonly ConnectedRegistry[];
}

/** Why a registry does not belong to the parent that it names, or cannot work with it. */
export interface Objection {
  readonly reason: Reason;
  readonly message: string;
  /** Whether it may go by itself: an object that is missing can be about to come. */
  readonly waits: boolean;
}

interface Member {
  readonly registry: ConnectedRegistry;
  readonly parent: ConnectedRegistry | undefined;
  readonly children: ConnectedRegistry[];
}

/**
 * A tree of registries: a head, and those that were let in below it. A registry that is not let in where it wants to be
 * heads a hierarchy of its own: what hangs below it goes on with it.
 */
export interface Hierarchy {
  readonly members: ReadonlyMap<string, Member>;
  /** Of those who were turned away at its door: why. */
  readonly refused: ReadonlyMap<string, Objection>;
}

/** Where a registry is. `objection`: why it is not where it wants to be, if it is not. */
export interface Place {
  readonly hierarchy: Hierarchy;
  readonly objection: Objection | undefined;
}

/** The key of the ConnectedRegistry that `registry` names as its parent; `undefined` if it names none. */
export function parentKeyOf({ metadata, spec }: ConnectedRegistry): string | undefined {
  const ref = spec.parent?.connectedRegistryRef;
  if (ref === undefined) return undefined;
  return keyText({ namespace: ref.namespace ?? metadata.namespace ?? "", name: ref.name });
}

/** The entry by which `parent` lets registries of `namespace` in; `undefined` if it does not. Its own always are. */
export function consentOf(
  { metadata, spec }: ConnectedRegistry,
  namespace: string,
): { readonly scopeMapRef?: { readonly name: string } } | undefined {
  const entries = spec.children?.allowedNamespaces ?? [];
  const entry =
    entries.find((one) => one.namespace === namespace) ?? entries.find((one) => one.namespace === "*");
  return metadata.namespace === namespace && entry?.namespace !== namespace ? {} : entry;
}

/**
 * The hierarchy that `registry` is in, and what keeps it from its parent, if anything does. Of registries that want the
 * same name, or the last room, the older are let in: who is in stays in, whoever comes later.
 *
 * @param limit how many registries a hierarchy may have
 */
export function placeOf(registry: ConnectedRegistry, kinship: Kinship, limit: number): Place {
  const { path, circle } = climb(registry, kinship);
  let objection = circle === undefined ? severed(path.at(-1), kinship) : inCircle(circle);
  const round = new Set(circle);
  for (;;) {
    const head = path.at(-1) ?? registry;
    const hierarchy = admitted(head, kinship, limit, round);
    const outside = path.findLastIndex((one) => !hierarchy.members.has(textOf(one)));
    if (outside < 0) {
      return { hierarchy, objection: textOf(head) === textOf(registry) ? objection : undefined };
    }
    path.length = outside + 1;
    objection = hierarchy.refused.get(textOf(path[outside] ?? registry));
  }
}

/** The parent of `registry`, if it is let in below it. */
export function parentIn(registry: ConnectedRegistry, { members }: Hierarchy): ConnectedRegistry | undefined {
  return members.get(textOf(registry))?.parent;
}

/** The registries that were let in below `registry`, by their keys. */
export function childrenIn(
  registry: ConnectedRegistry,
  { members }: Hierarchy,
): readonly ConnectedRegistry[] {
  const children = members.get(textOf(registry))?.children ?? [];
  return children.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

/** What keeps `child` from working with `parent`, below which it is let in. */
export function discord(child: ConnectedRegistry, parent: ConnectedRegistry): Objection | undefined {
  const name = textOf(parent);
  if (parent.metadata.deletionTimestamp !== undefined) {
    return { reason: "ParentDeleting", message: `The parent "${name}" is being deleted.`, waits: false };
  }
  if (child.spec.mode === "ReadWrite" && parent.spec.mode === "ReadOnly") {
    const message = `The parent "${name}" is ReadOnly, and this registry is ReadWrite.`;
    return { reason: "ParentReadOnly", message, waits: false };
  }
  return undefined;
}

/** All registries that a change of `registry` may concern: those that hang together, whether they are let in or not. */
export function relativesOf(registry: ConnectedRegistry, kinship: Kinship): readonly ConnectedRegistry[] {
  const found = new Map<string, ConnectedRegistry>([[textOf(registry), registry]]);
  // A Map is visited in the order of insertion, so what is added here is visited too.
  for (const one of found.values()) {
    const above = parentKeyOf(one);
    const parent = above === undefined ? undefined : kinship.find(above);
    for (const next of [...(parent === undefined ? [] : [parent]), ...kinship.naming(textOf(one))]) {
      if (!found.has(textOf(next))) found.set(textOf(next), next);
    }
  }
  return [...found.values()];
}

/** From `registry` upwards as far as each is let in by the next; with the keys of the circle, if that has no end. */
function climb(
  registry: ConnectedRegistry,
  kinship: Kinship,
): { readonly path: ConnectedRegistry[]; readonly circle: readonly string[] | undefined } {
  const path = [registry];
  const seen = new Map([[textOf(registry), 0]]);
  for (let parent = linked(registry, kinship); parent !== undefined; parent = linked(parent, kinship)) {
    const at = seen.get(textOf(parent));
    if (at !== undefined) {
      const circle = path.slice(at).map(textOf);
      // Each of the circle heads what hangs below it, `registry` too.
      path.length = at + 1;
      return { path, circle };
    }
    seen.set(textOf(parent), path.length);
    path.push(parent);
  }
  return { path, circle: undefined };
}

/** The parent that `registry` names, if it is there and lets it in as far as the two alone can tell. */
function linked(registry: ConnectedRegistry, kinship: Kinship): ConnectedRegistry | undefined {
  const key = parentKeyOf(registry);
  const parent = key === undefined ? undefined : kinship.find(key);
  if (parent === undefined || consentOf(parent, registry.metadata.namespace ?? "") === undefined) {
    return undefined;
  }
  return cameTooLate(registry, parent) ? undefined : parent;
}

/** A registry that is being deleted keeps the children that it has, and takes no others. */
function cameTooLate({ metadata }: ConnectedRegistry, parent: ConnectedRegistry): boolean {
  const { deletionTimestamp } = parent.metadata;
  return deletionTimestamp !== undefined && (metadata.creationTimestamp ?? "") > deletionTimestamp;
}

/** Why `registry` has no link to the parent that it names. */
function severed(registry: ConnectedRegistry | undefined, kinship: Kinship): Objection | undefined {
  const ref = registry?.spec.parent?.connectedRegistryRef;
  if (registry === undefined || ref === undefined) return undefined;
  const parent = kinship.find(parentKeyOf(registry) ?? "");
  const elsewhere = ref.namespace !== undefined && ref.namespace !== registry.metadata.namespace;
  if (parent !== undefined && consentOf(parent, registry.metadata.namespace ?? "") !== undefined) {
    return discord(registry, parent);
  }
  // The same words whether there is such a registry: that is for those who may read the other namespace (S30).
  const message = elsewhere
    ? `The namespace "${ref.namespace}" has no ConnectedRegistry "${ref.name}" that takes children from this one.`
    : `There is no ConnectedRegistry "${ref.name}" in this namespace.`;
  return { reason: elsewhere ? "ParentNotAllowed" : "ParentNotFound", message, waits: true };
}

/** The same words at each of the circle. */
function inCircle(keys: readonly string[]): Objection {
  const first = keys.indexOf([...keys].sort()[0] ?? "");
  const round = [...keys.slice(first), ...keys.slice(0, first + 1)];
  const message = `The parents form a circle: ${round.join(", ")}.`;
  return { reason: "ParentCycle", message, waits: false };
}

/** Lets in below `head` whoever may be there, the oldest of those at the door first. */
function admitted(
  head: ConnectedRegistry,
  kinship: Kinship,
  limit: number,
  circle: ReadonlySet<string>,
): Hierarchy {
  const members = new Map<string, Member>();
  const refused = new Map<string, Objection>();
  const names = new Map<string, string>();
  const door: ConnectedRegistry[] = [];
  const letIn = (registry: ConnectedRegistry, parent: ConnectedRegistry | undefined): void => {
    const key = textOf(registry);
    members.set(key, { registry, parent, children: [] });
    names.set(registry.metadata.name, key);
    if (parent !== undefined) members.get(textOf(parent))?.children.push(registry);
    const next = kinship.naming(key).filter((one) => {
      return !circle.has(textOf(one)) && !members.has(textOf(one)) && linked(one, kinship) !== undefined;
    });
    // The oldest is last.
    door.push(...next);
    door.sort((a, b) => (seniority(a) > seniority(b) ? -1 : 1));
  };
  letIn(head, undefined);
  for (let next = door.pop(); next !== undefined; next = door.pop()) {
    const namesake = names.get(next.metadata.name);
    if (namesake !== undefined) {
      const message = `The registry "${namesake}" of the same hierarchy has this name.`;
      refused.set(textOf(next), { reason: "HierarchyNameTaken", message, waits: false });
    } else if (members.size >= limit) {
      const message = `The hierarchy of "${textOf(head)}" has ${limit} registries, as many as are allowed.`;
      refused.set(textOf(next), { reason: "HierarchyFull", message, waits: false });
    } else letIn(next, linked(next, kinship));
  }
  return { members, refused };
}

/** Sorts by age, and by key where that is the same. */
function seniority(registry: ConnectedRegistry): string {
  return `${registry.metadata.creationTimestamp ?? ""} ${textOf(registry)}`;
}

function textOf(registry: ConnectedRegistry): string {
  return keyText(keyOf(registry));
}
