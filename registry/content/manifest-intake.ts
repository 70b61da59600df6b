import { pipeline, type Readable } from "node:stream";
import { algorithmOf, digestOf, DigestMismatchError, verify } from "../../common/oci/digest.ts";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError, maxManifestBytes, parseManifest } from "../../common/oci/manifest.ts";
import type { Manifest } from "../../common/oci/manifest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { Condition } from "./condition.ts";
import type { Metadata, StoredManifest } from "./metadata.ts";
import type { Quota } from "./quota.ts";

export interface ManifestPut {
  /** What the client says it is; absent: it is stored under its SHA-256. */
  readonly expected?: Digest;
  readonly tags: readonly Tag[];
  readonly condition?: Condition;
}

/** How manifests get in: checked, counted, and stored together with their tags. */
export class ManifestIntake {
  private readonly metadata: Metadata;
  private readonly quota: Quota;

  constructor(metadata: Metadata, quota: Quota) {
    this.metadata = metadata;
    this.quota = quota;
  }

  /** Takes a manifest of which everything but `sparse` is here. */
  async push(
    repository: RepositoryName,
    expected: Descriptor,
    content: Readable,
    sparse: readonly Digest[],
  ): Promise<void> {
    const bytes = await readManifest(expected, content);
    const manifest = parseManifest(bytes, expected.mediaType);
    await this.store(repository, { descriptor: expected, bytes, manifest, sparse, tags: [] });
  }

  /** Takes a manifest of a client, with its tags: see `ContentRepository.putManifest`. */
  async put(
    repository: RepositoryName,
    bytes: Uint8Array,
    mediaType: string,
    put: ManifestPut,
  ): Promise<StoredManifest & { manifest: Manifest }> {
    const manifest = parseManifest(bytes, mediaType);
    const digest = digestOf(bytes, put.expected === undefined ? "sha256" : algorithmOf(put.expected));
    if (put.expected !== undefined && digest !== put.expected)
      throw new DigestMismatchError(put.expected, digest);
    const descriptor = { mediaType, digest, size: bytes.length };
    const { tags, condition } = put;
    const extra = condition === undefined ? {} : { condition };
    await this.store(repository, {
      descriptor,
      bytes,
      manifest,
      sparse: "missing",
      tags,
      byClient: true,
      ...extra,
    });
    return { descriptor, bytes, manifest };
  }

  private async store(
    repository: RepositoryName,
    write: Parameters<Metadata["putManifest"]>[1],
  ): Promise<void> {
    if (this.metadata.find(repository, write.descriptor.digest) !== undefined) {
      await this.metadata.putManifest(repository, write);
      return;
    }
    const account = this.quota.open(repository);
    account.take(write.bytes.length);
    try {
      await this.metadata.putManifest(repository, write);
    } finally {
      account.give(write.bytes.length);
    }
  }
}

async function readManifest(expected: Descriptor, content: Readable): Promise<Uint8Array> {
  if (expected.size > maxManifestBytes) {
    content.destroy();
    throw new InvalidManifestError(`a manifest has at most ${maxManifestBytes} bytes`);
  }
  const chunks: Buffer[] = [];
  const verified = pipeline(content, verify(expected), () => undefined);
  for await (const chunk of verified) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
