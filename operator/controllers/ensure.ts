import { messageOf } from "../../common/errors.ts";
import { seconds } from "../../common/clock.ts";
import { isApplied, stamped } from "../resources/applied.ts";
import { withoutSecrets } from "../resources/without-secrets.ts";
import {
  ConflictError,
  keyOf,
  RejectedError,
  type Kind,
  type KubeClient,
  type KubeObject,
} from "../runtime/kube.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";

/**
 * Makes `desired` so, and answers what there is then. Writes nothing if it is so already, and never takes over an
 * object that is somebody else's.
 *
 * @throws {StalledError} if the name is taken, or the API server refuses
 * @throws {WaitingError} if an object of that name is about to go
 */
export async function ensure<T extends KubeObject>(
  client: KubeClient,
  kind: Kind<T>,
  desired: T,
): Promise<T> {
  const live = await client.get(kind, keyOf(desired));
  if (live !== undefined) expectOurs(live, desired);
  const wanted = stamped(desired);
  if (live !== undefined && isApplied(live, wanted)) return live;
  return accepted(desired, () => client.apply(kind, wanted));
}

/**
 * The same for what holds a secret that is made only once: `read` is what `desired` was computed from, and if there is
 * something else by now, nothing is written. A cache that lags behind must not cost anybody a password.
 *
 * @throws {ConflictError} if there is
 */
export async function ensureFrom<T extends KubeObject>(
  client: KubeClient,
  kind: Kind<T>,
  read: T | undefined,
  desired: T,
): Promise<T> {
  const wanted = stamped(desired);
  if (read === undefined) {
    const made = await accepted(desired, () => client.create(kind, wanted));
    if (made === undefined) throw new ConflictError(`${nameOf(desired)} has just been made`);
    return made;
  }
  expectOurs(read, desired);
  if (isApplied(read, wanted)) return read;
  const { resourceVersion } = read.metadata;
  const metadata = { ...wanted.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return accepted(desired, () => client.apply(kind, { ...wanted, metadata }));
}

/**
 * Takes one step of a reconcile. A fault that the user should hear of becomes a finding, and the answer is
 * `undefined`: the steps that do not depend on it go on.
 *
 * @throws anything else
 */
export async function attempt<T>(findings: Finding[], step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof StalledError || error instanceof WaitingError)) throw error;
    findings.push({ kind: "fault", error });
    return undefined;
  }
}

/**
 * What `write` answers, which is about `desired`.
 *
 * @throws {StalledError} if the API server refuses it
 */
export async function accepted<T>(desired: KubeObject, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    const why = withoutSecrets(messageOf(error), desired);
    throw new StalledError("Rejected", `The API server refuses the ${nameOf(desired)}: ${why}`, {
      // What stands in the way, such as a quota, may go without our hearing of it.
      retryAfter: seconds(60),
    });
  }
}

function expectOurs(live: KubeObject, desired: KubeObject): void {
  const [owner, wanted] = [live, desired].map(({ metadata }) =>
    metadata.ownerReferences?.find(({ controller }) => controller === true),
  );
  const predecessors =
    owner?.kind === wanted?.kind && owner?.name === wanted?.name && owner?.uid !== wanted?.uid;
  if (live.metadata.deletionTimestamp !== undefined || (owner !== undefined && predecessors)) {
    throw new WaitingError("Terminating", `The ${nameOf(live)} is still being deleted.`, {
      retryAfter: seconds(2),
    });
  }
  const ours =
    owner === undefined ? hasOurLabels(live, desired) : wanted === undefined || owner.uid === wanted.uid;
  if (ours) return;
  throw new StalledError("NameTaken", `The ${nameOf(live)} exists and belongs to somebody else.`, {
    retryAfter: seconds(30),
  });
}

/** Whatever has no owner, such as a volume that outlived its registry, is known by its labels. */
function hasOurLabels(live: KubeObject, desired: KubeObject): boolean {
  return Object.entries(desired.metadata.labels ?? {}).every(
    ([key, value]) => live.metadata.labels?.[key] === value,
  );
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} "${metadata.name}"`;
}
