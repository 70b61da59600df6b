import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { Crane } from "../harness/crane.ts";
import { secretText, type SeenObject } from "../harness/kubectl.ts";
import { names, type World } from "./world.ts";

/** The connected registry as its clients see it. */
export interface Edge {
  /** The Service's address: the host is not a pod, and does not resolve Service names. */
  readonly address: string;
  readonly caPem: string;
  readonly username: string;
  readonly password: string;
  /** `crane` with the pull secret, byte for byte as the operator made it. */
  readonly crane: Crane;
}

/** Reads what a client needs from the objects that the operator made. */
export async function edgeOf(world: World): Promise<Edge> {
  const pullSecret = await required(world, "secret", names.pullSecret);
  const caPem = secretText(await required(world, "secret", `${names.registry}-tls`), "ca.crt");
  const { clusterIP } = (await required(world, "service", names.registry)).spec as { clusterIP: string };
  return {
    address: clusterIP,
    caPem,
    username: secretText(pullSecret, "username"),
    password: secretText(pullSecret, "password1"),
    crane: await world.craneAtEdge(secretText(pullSecret, ".dockerconfigjson"), caPem),
  };
}

/** An object of the story's namespace that must be there. */
export async function required(world: World, resource: string, name: string): Promise<SeenObject> {
  const object = await world.kubectl.get(resource, name, names.namespace);
  if (object === undefined) throw new Error(`there is no ${resource} ${name}`);
  return object;
}

/** GET at the connected registry with Basic credentials. Answers status and body (of at most a few KiB here). */
export function get(
  edge: Edge,
  path: string,
  password = edge.password,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: edge.address, path, ca: edge.caPem, auth: `${edge.username}:${password}`, timeout: 10_000 },
      (response) => {
        text(response).then((body) => {
          resolve({ status: response.statusCode ?? 0, body });
        }, reject);
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error(`GET ${path}: no answer`)));
    outgoing.once("error", reject).end();
  });
}
