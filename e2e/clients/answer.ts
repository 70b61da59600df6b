import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { buffer } from "node:stream/consumers";

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly body: Buffer;
  /** Of the body, computed here. */
  readonly digest: string;
}

const accept = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

/** Asks with nothing but Node: what a client claims to have done is not checked by that client. */
export async function answerOf(
  url: string,
  caPem: string,
  { name, password }: { readonly name: string; readonly password: string },
  { method = "GET", body: sent = "" }: { readonly method?: string; readonly body?: string } = {},
): Promise<Answer> {
  const headers = { accept, ...(sent === "" ? {} : { "content-type": "application/json" }) };
  const auth = `${name}:${password}`;
  const outgoing = request(url, { method, ca: caPem, auth, agent: false, headers }).end(sent);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  const body = await buffer(response);
  return {
    status: response.statusCode ?? 0,
    mediaType: response.headers["content-type"] ?? "",
    body,
    digest: `sha256:${createHash("sha256").update(body).digest("hex")}`,
  };
}
