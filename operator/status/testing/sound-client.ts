import type { KubeClient } from "../../runtime/kube.ts";
import { faulty } from "../../runtime/testing/faulty.ts";
import type { StatusHistory } from "./history.ts";

/** `client`, whose every written status goes into `history`, once it is taken. */
export function soundClient(client: KubeClient, history: StatusHistory): KubeClient {
  return faulty(client, {
    applyStatus: async (kind, key, status, version) => {
      const taken = await client.applyStatus(kind, key, status, version);
      history.record(kind, key, taken.metadata.uid ?? "", status);
      return taken;
    },
  });
}
