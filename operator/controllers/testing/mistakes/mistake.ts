import { ConnectedRegistryKind } from "../../../api/connectedregistry.gen.ts";
import type { Kind, KubeObject } from "../../../runtime/kube.ts";
import { messageFor, reasons, type Reason } from "../../../status/reasons.ts";
import type { Scene } from "./scene.ts";

/** What a person can do wrong, what they are told, and how they mend it. */
export interface Mistake {
  readonly mistake: string;
  /** `running`: in a registry that was Ready. `new`: before there is one, which is then made. */
  readonly in: "running" | "new";
  readonly make: (scene: Scene) => Promise<unknown>;
  /** What the new registry is to be, beside what the sample says. */
  readonly spec?: object;
  /** Whose condition tells it; the registry's, if absent. */
  readonly on?: { readonly kind: Kind<KubeObject>; readonly name: string };
  readonly condition: string;
  readonly reason: Reason;
  /** Part of what the user reads, beside the remedy. */
  readonly says: string;
  /** What Ready, Reconciling and Stalled make of it. */
  readonly then: "stalls" | "waits" | "notes";
  /** The one Event that tells it; of the reason, if absent. */
  readonly event?: string;
  readonly mend: (scene: Scene) => Promise<unknown>;
  /** Seconds, where nothing tells the operator of the remedy, so that it has to look. */
  readonly mendedWithin?: number;
}

const heardMs = 5000;

/** Plays a mistake from its beginning to its end. @throws what went otherwise than it should */
export async function play(mistake: Mistake, scene: Scene): Promise<void> {
  const { on = { kind: ConnectedRegistryKind, name: "contoso-edge" }, condition, reason } = mistake;
  try {
    await scene.prepare();
    if (mistake.in === "running") {
      await scene.registry();
      await scene.run();
      await scene.until("Ready", ConnectedRegistryKind, "contoso-edge", "Ready", 40_000, isTrue);
      await scene.until("Ready", on.kind, on.name, "Ready", 10_000, isTrue);
    }
    await mistake.make(scene);
    if (mistake.in === "new") await scene.registry(mistake.spec);

    const found = await scene.until(
      reason,
      on.kind,
      on.name,
      condition,
      heardMs,
      (one) => one.reason === reason,
    );
    expectTold(mistake, found.message, scene.namespace, on.name);
    for (const [type, status] of Object.entries(three[mistake.then])) {
      const is = await scene.until(type, on.kind, on.name, type, heardMs, (one) => one.status === status);
      if (status === "False" && type === "Ready" && is.reason !== reason) {
        throw new Error(`Ready says ${is.reason} instead of ${reason}`);
      }
    }

    await mistake.mend(scene);
    const withinMs = 1000 * (mistake.mendedWithin ?? heardMs / 1000);
    await scene.until(`no ${reason}`, on.kind, on.name, condition, withinMs, (one) => one.reason !== reason);
    expectOneEvent(mistake, scene);
    const words = scene.operator.history.words(on.kind, scene.key(on.name), condition);
    if (words.filter((word) => word.endsWith(` ${reason}`)).length !== 1) {
      throw new Error(`${condition} came and went: ${words.join(", ")}`);
    }
  } finally {
    scene.close();
  }
}

/** In the sense of kstatus. */
const three = {
  stalls: { Ready: "False", Reconciling: "False", Stalled: "True" },
  waits: { Ready: "False", Reconciling: "True", Stalled: "False" },
  notes: { Ready: "True", Reconciling: "False", Stalled: "False" },
} as const;

function isTrue({ status }: { readonly status: string }): boolean {
  return status === "True";
}

function expectTold({ reason, says }: Mistake, message: string, namespace: string, name: string): void {
  const remedy = messageFor(reason, "Fact.", { namespace, name }).replace(/^Fact[.] ?/, "");
  for (const part of [says, remedy]) {
    if (!message.includes(part)) throw new Error(`"${message}" does not say "${part}"`);
  }
  if (message.includes(secret)) throw new Error("a password is shown");
  if (reasons[reason].remedy === "") throw new Error(`${reason} says nothing of what to do`);
}

/** Of the sample's parent. */
const secret = "parent-password";

function expectOneEvent({ event, reason, on }: Mistake, scene: Scene): void {
  const told = scene.operator.happenings.filter(
    (one) =>
      one.namespace === scene.namespace &&
      one.reason === (event ?? reason) &&
      one.kind === (on?.kind.kind ?? "ConnectedRegistry"),
  );
  if (told.length !== 1) throw new Error(`${told.length} Events of ${event ?? reason}`);
}
