import type { Agent, RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { systemClock, type Clock } from "../../common/clock.ts";
import type { ApiServer } from "./api-server.ts";
import { HttpsApiServer, type Access, type Credentials, type ObserveRequest } from "./https-api-server.ts";

/** With the current context of a kubeconfig, whatever way of authentication it names. */
export function fromKubeconfig(file: string, observe: ObserveRequest, clock: Clock = systemClock): ApiServer {
  return new HttpsApiServer(accessIn(file), clock, observe);
}

/**
 * client-node knows every way in that a kubeconfig can name; the calls are our own, since each of its own makes an agent,
 * and so a TLS handshake (see docs/decisions/0003-operator-calls.md). A pod has no kubeconfig, and does not load it (0027).
 */
function accessIn(file: string): Access {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new TypeError("the kubeconfig names no cluster");
  return {
    server: cluster.server,
    credentials: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const proxied = cluster.proxyUrl !== undefined;
      return { ...credentialsIn(options), ...(proxied && { agent: options.agent as Agent }) };
    },
  };
}

function credentialsIn(options: RequestOptions): Credentials {
  const { headers, auth, ca, cert, key, servername, rejectUnauthorized } = options;
  const given = Object.entries((headers ?? {}) as Record<string, string>);
  const basic = auth === undefined || auth === null ? {} : { authorization: `Basic ${btoa(auth)}` };
  const tls = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  return {
    headers: { ...basic, ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])) },
    tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
  };
}
