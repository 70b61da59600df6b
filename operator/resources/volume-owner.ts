import * as z from "zod/mini";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { PersistentVolumeClaim } from "../api/kubernetes.ts";
import { StalledError } from "../status/errors.ts";

/** On a claim: whose content it keeps, also when that registry is gone. */
const ownerAnnotation = "connectedregistry.io/registry";
/** On a registry: the uid of the one whose volume it is to take over all the same. */
const takeOverAnnotation = "connectedregistry.io/take-over-volume";

const ownerSchema = z.object({ uid: z.string().check(z.maxLength(64)), parent: z.string() });
type Owner = z.output<typeof ownerSchema>;

/** What the claim of `registry` says of it. */
export function ownerAnnotations(registry: ConnectedRegistry): Readonly<Record<string, string>> {
  const owner: Owner = { uid: registry.metadata.uid ?? "", parent: parentOf(registry) };
  return { [ownerAnnotation]: JSON.stringify(owner) };
}

/**
 * Whether the volume may become, or stay, that of `registry`: content of one parent must not be served, or sent up, as that
 * of another. A claim without a word on it is of an operator before this one.
 *
 * @throws {StalledError} if not
 */
export function expectOwnContent(registry: ConnectedRegistry, { metadata }: PersistentVolumeClaim): void {
  const text = metadata.annotations?.[ownerAnnotation];
  const owned = metadata.ownerReferences?.some(({ controller }) => controller === true) === true;
  // One that goes with its owner is waited for.
  if (text === undefined || owned || metadata.deletionTimestamp !== undefined) return;
  const owner = ownerOf(text);
  const { uid, annotations } = registry.metadata;
  if (owner !== undefined && (owner.uid === uid || owner.parent === parentOf(registry))) return;
  if (owner !== undefined && annotations?.[takeOverAnnotation] === owner.uid) return;
  const of =
    owner === undefined ? "that cannot be told" : `with ${described(owner.parent)} (uid ${owner.uid})`;
  throw new StalledError(
    "VolumeOfAnother",
    `The PersistentVolumeClaim "${metadata.name}" keeps the content of another registry, one ${of}.`,
  );
}

/** Where content comes from; empty for a root. */
function parentOf({ metadata, spec }: ConnectedRegistry): string {
  const { registry, connectedRegistryRef } = spec.parent ?? {};
  if (registry !== undefined) return `${registry.protocol}://${registry.loginServer}`;
  if (connectedRegistryRef === undefined) return "";
  return `${connectedRegistryRef.namespace ?? metadata.namespace ?? ""}/${connectedRegistryRef.name}`;
}

function described(parent: string): string {
  // From an annotation, which others can write: nothing but names gets into a message.
  return parent === ""
    ? "no parent"
    : `the parent ${parent.replace(/[^A-Za-z0-9.:/[\]-]/g, "").slice(0, 300)}`;
}

function ownerOf(text: string): Owner | undefined {
  try {
    const result = ownerSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
