import {
  keyOf,
  keyText,
  type ChangeHandler,
  type KubeObject,
  type Lookup,
  type NamespacedName,
} from "./kube.ts";

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[];
  readonly keysByValue: Map<string, Set<string>>;
}

/**
 * The objects of one kind, by key and by indexes, and those who want to hear of changes.
 *
 * # Guarantees
 * - Handlers are called after the change is visible here, once per change, and never for one that changed nothing.
 * - A handler or index that throws keeps neither the change nor the others back; `onError` is told.
 */
export class ObjectCache<T extends KubeObject> {
  private readonly objects = new Map<string, T>();
  private readonly indexes: Index<T>[] = [];
  private readonly handlers: ChangeHandler<T>[] = [];
  private readonly onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.onError = onError;
  }

  get(key: NamespacedName): T | undefined {
    return this.objects.get(keyText(key));
  }

  list(namespace?: string): readonly T[] {
    const all = [...this.objects.values()];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  /** Also calls `handler` with what is here already. */
  subscribe(handler: ChangeHandler<T>): void {
    this.handlers.push(handler);
    for (const object of this.objects.values()) this.call(handler, undefined, object);
  }

  index(valuesOf: (object: T) => readonly string[]): Lookup<T> {
    const index: Index<T> = { valuesOf: this.fenced(valuesOf), keysByValue: new Map() };
    this.indexes.push(index);
    for (const [key, object] of this.objects) enter(index, key, object);
    return (value) => [...(index.keysByValue.get(value) ?? [])].flatMap((key) => this.objects.get(key) ?? []);
  }

  set(object: T): void {
    const key = keyText(keyOf(object));
    const before = this.objects.get(key);
    if (before !== undefined && sameVersion(before, object)) return;
    this.change(key, before, object);
  }

  delete(key: NamespacedName): void {
    const text = keyText(key);
    const before = this.objects.get(text);
    if (before !== undefined) this.change(text, before, undefined);
  }

  /** Makes `objects` all there is (in `namespace`, if given). */
  replace(objects: readonly T[], namespace?: string): void {
    const kept = new Set(objects.map((object) => keyText(keyOf(object))));
    for (const old of this.list(namespace)) {
      if (!kept.has(keyText(keyOf(old)))) this.delete(keyOf(old));
    }
    for (const object of objects) this.set(object);
  }

  private change(key: string, before: T | undefined, after: T | undefined): void {
    for (const index of this.indexes) {
      if (before !== undefined) leave(index, key, before);
      if (after !== undefined) enter(index, key, after);
    }
    if (after === undefined) this.objects.delete(key);
    else this.objects.set(key, after);
    for (const handler of this.handlers) this.call(handler, before, after);
  }

  private fenced(valuesOf: Index<T>["valuesOf"]): Index<T>["valuesOf"] {
    return (object) => {
      try {
        return valuesOf(object);
      } catch (error) {
        this.onError(error);
        return [];
      }
    };
  }

  private call(handler: ChangeHandler<T>, before: T | undefined, after: T | undefined): void {
    try {
      handler(before, after);
    } catch (error) {
      this.onError(error);
    }
  }
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return (
    a.metadata.resourceVersion !== undefined &&
    a.metadata.resourceVersion === b.metadata.resourceVersion &&
    a.metadata.uid === b.metadata.uid
  );
}

function enter<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keysByValue.get(value);
    if (keys === undefined) index.keysByValue.set(value, new Set([key]));
    else keys.add(key);
  }
}

function leave<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keysByValue.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keysByValue.delete(value);
  }
}
