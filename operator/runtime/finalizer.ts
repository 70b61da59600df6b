import { keyOf, type Kind, type KubeObject, type KubeClient } from "./kube.ts";

type Writer = Pick<KubeClient, "setFinalizers">;

export function isHeld({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}

/**
 * From now on `object` goes only once it is let go. Nothing is done if it is held already, or is being deleted: then it is
 * too late.
 *
 * @returns the object as it is then
 * @throws {ConflictError} if it is not as it was read
 */
export async function hold<T extends KubeObject>(
  client: Writer,
  kind: Kind<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  const { finalizers = [], deletionTimestamp, resourceVersion = "" } = object.metadata;
  if (isHeld(object, finalizer) || deletionTimestamp !== undefined) return object;
  return await client.setFinalizers(kind, keyOf(object), [...finalizers, finalizer], resourceVersion);
}

/**
 * `object` may go, as far as `finalizer` is concerned. Looks at nothing but its metadata, so that it works whatever has
 * become of the rest: a spec that the schema no longer takes must not keep an object, and a namespace, for ever.
 *
 * @returns the object as it is then
 * @throws {ConflictError} if it is not as it was read
 */
export async function letGo<T extends KubeObject>(
  client: Writer,
  kind: Kind<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  const { finalizers = [], resourceVersion = "" } = object.metadata;
  if (!isHeld(object, finalizer)) return object;
  const others = finalizers.filter((one) => one !== finalizer);
  return await client.setFinalizers(kind, keyOf(object), others, resourceVersion);
}
