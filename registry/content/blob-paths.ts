import { join } from "node:path";
import {
  algorithmOf,
  hexOf,
  parseDigest,
  type Digest,
  type DigestAlgorithm,
} from "../../common/oci/digest.ts";

/** What lies where under the root of `FilesystemBlobs`, which draws it. */
export class BlobPaths {
  readonly staging: string;
  readonly quarantine: string;
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
    this.staging = join(root, "staging");
    this.quarantine = join(root, "quarantine");
  }

  /** All blobs of `algorithm`, or those whose digits begin with `part`. */
  directory(algorithm: DigestAlgorithm, part = ""): string {
    return join(this.root, "blobs", algorithm, part);
  }

  blob(digest: Digest): string {
    const hex = hexOf(digest);
    return join(this.directory(algorithmOf(digest), hex.slice(0, 2)), hex);
  }

  staged(key: string): string {
    return join(this.staging, key);
  }

  apart(digest: Digest): string {
    return join(this.quarantine, digest.replace(":", "-"));
  }
}

/** Which blob the file `name` in `BlobPaths.directory` is; `undefined` if somebody else put it there. */
export function blobNamed(algorithm: DigestAlgorithm, part: string, name: string): Digest | undefined {
  return name.startsWith(part) ? digestIn(algorithm, name) : undefined;
}

/** Which blob the file `name` in `BlobPaths.quarantine` was. */
export function apartNamed(name: string): Digest | undefined {
  const [algorithm = "", hex = ""] = name.split("-");
  return digestIn(algorithm, hex);
}

function digestIn(algorithm: string, hex: string): Digest | undefined {
  try {
    return parseDigest(`${algorithm}:${hex}`);
  } catch {
    return undefined;
  }
}
