import { keyOf, keyText, type KubeObject, type Lookup, type NamespacedName } from "../runtime/kube.ts";

/** How many objects there may be, as ACR counts them in a registry of the cloud. */
export interface Limits {
  /** ClientTokens in a namespace. */
  readonly clientTokens: number;
  /** ScopeMaps in a namespace. */
  readonly scopeMaps: number;
  /** ConnectedRegistries in one hierarchy, its root included. */
  readonly registriesPerHierarchy: number;
}

/** What ACR's premium tier allows. */
export const defaultLimits: Limits = { clientTokens: 20_000, scopeMaps: 20_000, registriesPerHierarchy: 50 };

/**
 * Tells which objects of a kind are too many in their namespace: the youngest.
 *
 * # Guarantees
 * As long as there are not too many, an answer costs one look at a number, however many there are.
 */
export class NamespaceLimit {
  readonly most: number;
  private readonly inNamespace: Lookup<KubeObject>;
  private readonly counts = new Map<string, number>();
  /** The keys of those that are too many, by namespace, as long as nothing came or went. */
  private readonly excess = new Map<string, ReadonlyMap<string, NamespacedName>>();

  /** @param inNamespace the objects of a namespace, as they are now */
  constructor(most: number, inNamespace: Lookup<KubeObject>) {
    this.most = most;
    this.inNamespace = inNamespace;
  }

  exceededBy(key: NamespacedName): boolean {
    return this.excessIn(key.namespace).has(keyText(key));
  }

  /**
   * Has to hear of every object, when it comes and when it goes.
   *
   * @returns those that are no longer too many because of it
   */
  readonly changed = (
    before: KubeObject | undefined,
    after: KubeObject | undefined,
  ): readonly NamespacedName[] => {
    const object = after ?? before;
    if (object === undefined || (before !== undefined && after !== undefined)) return [];
    const { namespace } = keyOf(object);
    const was = this.excess.get(namespace);
    this.excess.delete(namespace);
    const count = (this.counts.get(namespace) ?? 0) + (after === undefined ? -1 : 1);
    if (count === 0) this.counts.delete(namespace);
    else this.counts.set(namespace, count);
    if (was === undefined || after !== undefined) return [];
    const is = this.excessIn(namespace);
    return [...was].flatMap(([text, key]) => (is.has(text) ? [] : [key]));
  };

  private excessIn(namespace: string): ReadonlyMap<string, NamespacedName> {
    const known = this.excess.get(namespace);
    if (known !== undefined) return known;
    if ((this.counts.get(namespace) ?? 0) <= this.most) return none;
    const youngest = [...this.inNamespace(namespace)].sort(byAge).slice(this.most).map(keyOf);
    const excess = new Map(youngest.map((key) => [keyText(key), key]));
    this.excess.set(namespace, excess);
    return excess;
  }
}

const none: ReadonlyMap<string, NamespacedName> = new Map();

function byAge(a: KubeObject, b: KubeObject): number {
  const [first, second] = [a, b].map(
    ({ metadata }) => `${metadata.creationTimestamp ?? ""} ${metadata.name}`,
  ) as [string, string];
  return first < second ? -1 : 1;
}
