import { kindName, keyText, type Kind, type KubeObject, type NamespacedName } from "../../runtime/kube.ts";
import type { Condition } from "../conditions.ts";
import { expectSound } from "../sound.ts";
import { messageOf } from "../../../common/errors.ts";

/** What we say of every object of ours. */
export interface Said {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/**
 * Every status that was written, in order, and what is wrong with it: by itself (`expectSound`), or after the one before
 * it. A status at the end of a test may be sound though those that a tool saw on the way were not.
 */
export class StatusHistory {
  /** In the order in which they were found. */
  readonly faults: string[] = [];
  private readonly written = new Map<string, Said[]>();

  /** @param uid another object of the same name has a history of its own */
  record(kind: Kind<KubeObject>, key: NamespacedName, uid: string, status: Said): void {
    const id = `${kindName(kind)} ${keyText(key)} ${uid}`;
    const all = this.written.get(id) ?? [];
    this.written.set(id, [...all, status]);
    for (const fault of [...soundness(status), ...changes(all.at(-1), status)]) {
      this.faults.push(`${id}: ${fault}`);
    }
  }

  /** What the condition `type` of an object was, one after the other, such as `False ParentUnauthorized`. */
  words(kind: Kind<KubeObject>, key: NamespacedName, type: string): readonly string[] {
    const id = `${kindName(kind)} ${keyText(key)} `;
    const said = [...this.written]
      .filter(([object]) => object.startsWith(id))
      .flatMap(([, all]) => all)
      .flatMap(({ conditions = [] }) => conditions.filter((one) => one.type === type));
    const words = said.map(({ status, reason }) => `${status} ${reason}`);
    return words.filter((word, index) => word !== words[index - 1]);
  }

  /** @throws if anything was wrong */
  expectNoFaults(): void {
    if (this.faults.length > 0) throw new Error(`statuses on the way:\n${this.faults.join("\n")}`);
  }
}

function soundness(status: Said): readonly string[] {
  try {
    expectSound(status);
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function changes(was: Said | undefined, is: Said): readonly string[] {
  if (was === undefined) return [];
  const older = (is.observedGeneration ?? 0) < (was.observedGeneration ?? 0);
  const moved = (was.conditions ?? []).flatMap((before) => {
    const after = is.conditions?.find(({ type }) => type === before.type);
    if (after === undefined) return [`${before.type} is gone`];
    const same = before.status === after.status;
    const [from, to] = [before.lastTransitionTime, after.lastTransitionTime];
    if (same && from !== to) return [`${before.type} has another transition time, and the same status`];
    return !same && to < from ? [`${before.type} turned before it was what it was`] : [];
  });
  return [...(older ? ["it speaks of an older generation than before"] : []), ...moved];
}
