import { readFile } from "node:fs/promises";
import { seconds, type Clock } from "../../common/clock.ts";
import type { InCluster } from "../../common/cluster/connection.ts";
import type { ApiServer } from "./api-server.ts";
import { HttpsApiServer, type Access, type Credentials, type ObserveRequest } from "./https-api-server.ts";

/** The kubelet puts a new token into place long before the old one ends. */
const freshFor = seconds(10);

/** As the service account of the pod that we run in. */
export function inCluster(place: InCluster, clock: Clock, observe: ObserveRequest): ApiServer {
  return new HttpsApiServer(accessOf(place, clock), clock, observe);
}

function accessOf({ server, tokenFile, caFile }: InCluster, clock: Clock): Access {
  let kept: { readonly credentials: Credentials; readonly until: number } | undefined;
  return {
    server,
    credentials: async () => {
      const now = clock.now().toMillis();
      if (kept === undefined || now >= kept.until) {
        const [token, ca] = [await readFile(tokenFile, "utf8"), await readFile(caFile, "utf8")];
        const headers = { authorization: `Bearer ${token.trim()}` };
        kept = { credentials: { headers, tls: { ca } }, until: now + freshFor.toMillis() };
      }
      return kept.credentials;
    },
  };
}
