import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { ApiAccess } from "./kubeconfig.ts";

/** What an administrator of the cluster asks its API server while the cluster is being made. */
export interface KubeApi {
  /** The body at `path`, in the form that `accept` asks for. @throws {ApiError} on any status but 2xx. */
  get(path: string, accept?: string): Promise<string>;
  /** Server-side apply of `object` at `path` (the object's own, not the collection's). */
  apply(path: string, object: object): Promise<void>;
  /** A merge patch. */
  patch(path: string, change: object): Promise<void>;
}

class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function kubeApi({ server, caPem, client }: ApiAccess): KubeApi {
  const tls = { ca: caPem, cert: client.certPem, key: client.keyPem };
  const call = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: object,
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const outgoing = request(new URL(path, server), {
        ...tls,
        method,
        timeout: 10_000,
        headers,
      });
      outgoing.on("error", reject);
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer from ${server}${path}`)));
      outgoing.on("response", (response) => {
        text(response).then((answer) => {
          const status = response.statusCode ?? 0;
          if (status < 300) resolve(answer);
          else reject(new ApiError(status, `${method} ${path}: ${status} ${answer.slice(0, 1000)}`));
        }, reject);
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    get: (path, accept) => call("GET", path, accept === undefined ? {} : { accept }),
    async apply(path, object) {
      const headers = { "content-type": "application/apply-patch+yaml" };
      await call("PATCH", `${path}?fieldManager=cluster&force=true`, headers, object);
    },
    async patch(path, change) {
      await call("PATCH", path, { "content-type": "application/merge-patch+json" }, change);
    },
  };
}
