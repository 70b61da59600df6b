import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../common/oci/digest.ts";

/**
 * Writes what distribution's filesystem driver would: `repositories` with one tagged manifest, and one repository,
 * called `tags`, with many tags. Pushing as much would take it an hour. Only what its listings look at is there.
 */
export function writeDistributionLayout(
  data: string,
  repositories: readonly string[],
  tags: readonly string[],
): void {
  for (const repository of repositories) writeRepository(data, repository, ["v0"]);
  writeRepository(data, "tags", tags);
}

function writeRepository(data: string, repository: string, tags: readonly string[]): void {
  const digest = digestOf(repository);
  const manifests = join(data, "docker/registry/v2/repositories", repository, "_manifests");
  const revision = join(manifests, "revisions", digest.replace(":", "/"));
  mkdirSync(revision, { recursive: true });
  writeFileSync(join(revision, "link"), digest);
  for (const tag of tags) {
    const current = join(manifests, "tags", tag, "current");
    mkdirSync(current, { recursive: true });
    writeFileSync(join(current, "link"), digest);
  }
}
