import type { Operation } from "../../content/testing/operations.ts";
import { at, blobs, manifests, names, tagNames } from "../../content/testing/universe.ts";
import type { Answer, Loopback } from "./loopback.ts";

/**
 * An operation as a client makes it; a collection, which no client makes, as the registry does.
 *
 * @returns `done`, `full` if it was refused since the disk is, or else the status
 */
export async function request(registry: Loopback, operation: Operation): Promise<string> {
  if (operation.do === "collect") {
    const { state } = await registry.content.collector.collect({ graceSeconds: 0 });
    return state === "Succeeded" ? "done" : "full";
  }
  const { status, codes } = await send(registry, operation);
  if (status === 507 && codes[0] === "STORAGE_FULL") return "full";
  return status < 300 ? "done" : `${status} ${codes.join()}`;
}

/** The last answer, which is the first that refuses. */
async function send(registry: Loopback, operation: Operation): Promise<Answer> {
  const path = `/v2/${at(names, operation.in)}`;
  switch (operation.do) {
    case "push":
      return push(registry, path, operation.blob);
    case "mount": {
      const { digest } = at(blobs, operation.blob).descriptor;
      return registry.send(
        "POST",
        `${path}/blobs/uploads/?mount=${digest}&from=${at(names, operation.from)}`,
      );
    }
    case "put": {
      const tags = operation.tags.map((tag) => `&tag=${at(tagNames, tag)}`).join("");
      const { digest } = at(manifests, operation.manifest).item.descriptor;
      return putManifest(registry, `${path}/manifests/${digest}?${tags}`, operation.manifest);
    }
    case "tag":
      return putManifest(registry, `${path}/manifests/${at(tagNames, operation.tag)}`, operation.manifest);
    case "untag":
      return registry.send("DELETE", `${path}/manifests/${at(tagNames, operation.tag)}`);
    case "deleteManifest":
      return registry.send(
        "DELETE",
        `${path}/manifests/${at(manifests, operation.manifest).item.descriptor.digest}`,
      );
    case "deleteBlob":
      return registry.send("DELETE", `${path}/blobs/${at(blobs, operation.blob).descriptor.digest}`);
    case "lock":
    case "unlock": {
      const enabled = operation.do === "unlock";
      const body = JSON.stringify({ writeEnabled: enabled, deleteEnabled: enabled });
      const item = `/acr/v1/${at(names, operation.in)}/_tags/${at(tagNames, operation.tag)}`;
      return registry.send("PATCH", item, { body });
    }
    case "pushWrong":
    case "copy":
    case "begin":
    case "append":
    case "finish":
    case "cancel":
    case "ingest":
    case "collect":
    case "dryRun":
    case "backup":
    case "scrub":
      throw new Error(`it is not made as a request: ${operation.do}`);
  }
}

async function push(registry: Loopback, path: string, blob: number): Promise<Answer> {
  const { bytes, descriptor } = at(blobs, blob);
  const begun = await registry.send("POST", `${path}/blobs/uploads/`);
  if (begun.status !== 202) return begun;
  const location = begun.headers.location ?? "";
  const sent = await registry.send("PATCH", location, { body: bytes });
  if (sent.status !== 202) return sent;
  return registry.send("PUT", `${location}?digest=${descriptor.digest}`);
}

function putManifest(registry: Loopback, path: string, manifest: number): Promise<Answer> {
  const { bytes, descriptor } = at(manifests, manifest).item;
  return registry.send("PUT", path, { headers: { "content-type": descriptor.mediaType }, body: bytes });
}
