import { systemClock as clock } from "../../common/clock.ts";
import type { Informers } from "../../operator/runtime/informers.ts";
import { keyOf, type NamespacedName } from "../../operator/runtime/kube.ts";
import { childKinds, childrenOf, childText } from "./objects.ts";

/** Sees with a watch of its own what the operator has made. */
export class Children {
  /** How many there are to be. */
  readonly count: number;
  private readonly missing: Set<string>;
  private readonly all = Promise.withResolvers<number>();

  constructor(informers: Informers, registries: readonly NamespacedName[]) {
    this.missing = new Set(registries.flatMap(childrenOf));
    this.count = this.missing.size;
    for (const kind of childKinds) {
      informers.watch(kind, (_, object) => {
        if (object === undefined || !this.missing.delete(childText(kind, keyOf(object)))) return;
        if (this.missing.size === 0) this.all.resolve(clock.steady());
      });
    }
  }

  get found(): number {
    return this.count - this.missing.size;
  }

  /** Some of those that are not there. */
  get examples(): readonly string[] {
    return [...this.missing].slice(0, 3);
  }

  /** When the last of them was seen, on the steady clock. */
  complete(): Promise<number> {
    return this.all.promise;
  }
}
