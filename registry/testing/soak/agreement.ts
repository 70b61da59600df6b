import { digestOf } from "../../../common/oci/digest.ts";
import { parseManifest } from "../../../common/oci/manifest.ts";
import { ofManifest } from "../../../common/oci/mediatype.ts";
import type { SoakClient } from "./client.ts";

/** What is under one tag, all of it: `undefined` if there is no such tag. Each complaint is about what is missing or wrong. */
export async function complaintsAbout(
  client: SoakClient,
  repository: string,
  reference: string,
  good = new Set<string>(),
): Promise<{ readonly digest: string; readonly complaints: readonly string[] } | undefined> {
  const served = await client.manifest(repository, reference);
  if (served === undefined) return undefined;
  const complaints: string[] = [];
  const place = `${repository}:${reference}`;
  if (good.has(served.digest)) return { digest: served.digest, complaints };
  if (digestOf(served.bytes) !== served.digest) complaints.push(`${place} is not what its digest says`);
  const manifest = parseManifest(served.bytes, served.mediaType);
  for (const child of manifest.manifests) {
    if (good.has(child.digest)) continue;
    const below = ofManifest(child)
      ? await complaintsAbout(client, repository, child.digest, good)
      : undefined;
    if (below === undefined) complaints.push(`${place} lacks its child ${child.digest}`);
    else complaints.push(...below.complaints);
  }
  for (const { digest } of manifest.blobs) {
    if (good.has(digest)) continue;
    const bytes = await client.blob(repository, digest);
    if (bytes === undefined) complaints.push(`${place} lacks ${digest}`);
    else if (digestOf(bytes) !== digest) complaints.push(`${place} has wrong bytes as ${digest}`);
    else good.add(digest);
  }
  if (complaints.length === 0) good.add(served.digest);
  return { digest: served.digest, complaints };
}

/**
 * In what two registries differ: every tag of both, all manifests and blobs below them, byte by byte (what has the
 * digest that its name says is equal on both sides), and what refers to them.
 *
 * @param mayKeep whether `edge` may have a tag that `parent` has not
 */
export async function differences(
  parent: SoakClient,
  edge: SoakClient,
  mayKeep: (repository: string, tag: string) => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  const names = new Set([...(await parent.repositories()), ...(await edge.repositories())]);
  for (const repository of names) {
    const [good, alsoGood] = [new Set<string>(), new Set<string>()];
    const tags = new Set([...(await parent.tags(repository)), ...(await edge.tags(repository))]);
    for (const tag of tags) {
      const there = await complaintsAbout(parent, repository, tag, good);
      const here = await complaintsAbout(edge, repository, tag, alsoGood);
      found.push(
        ...(there?.complaints ?? []).map((text) => `parent: ${text}`),
        ...(here?.complaints ?? []).map((text) => `edge: ${text}`),
      );
      if (there === undefined && here !== undefined && mayKeep(repository, tag)) continue;
      if (there?.digest !== here?.digest) {
        found.push(
          `${repository}:${tag} is ${there?.digest ?? "nothing"} there, ${here?.digest ?? "nothing"} here`,
        );
      } else if (there !== undefined)
        found.push(...(await unattached(parent, edge, repository, there.digest)));
    }
  }
  return found;
}

/** In what they differ of what refers to a manifest that both have. */
async function unattached(
  parent: SoakClient,
  edge: SoakClient,
  repository: string,
  digest: string,
): Promise<readonly string[]> {
  const [there, here] = [
    await parent.referrers(repository, digest),
    await edge.referrers(repository, digest),
  ];
  if (JSON.stringify(there) === JSON.stringify(here)) return [];
  return [`${repository}@${digest} has ${there.length} referrers there, ${here.length} here`];
}
