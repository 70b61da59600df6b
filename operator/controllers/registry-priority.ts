import { seconds } from "../../common/clock.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { PriorityClassKind } from "../api/kubernetes.ts";
import type { KubeReader } from "../runtime/kube.ts";
import { WaitingError } from "../status/errors.ts";

/**
 * A pod with a PriorityClass that does not exist is never made: a Deployment that asks for one would take the old pod
 * away and get no new one.
 *
 * @throws {WaitingError} if the class of the spec does not exist
 */
export async function expectPriorityClass(
  client: Pick<KubeReader, "get">,
  { spec }: ConnectedRegistry,
): Promise<void> {
  const { priorityClassName: name } = spec;
  if (name === undefined) return;
  if ((await client.get(PriorityClassKind, { namespace: "", name })) !== undefined) return;
  // They are not watched: nobody makes one often.
  throw new WaitingError("PriorityClassNotFound", `There is no PriorityClass "${name}".`, {
    retryAfter: seconds(5),
  });
}
