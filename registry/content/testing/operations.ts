import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { systemClock } from "../../../common/clock.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import { errorName } from "./error-name.ts";
import type { CollectionReport } from "../collect/report.ts";
import type { RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import type { Upload } from "../uploads.ts";
import { backUp, scrubAll } from "./upkeep.ts";
import { at, blobs, manifests, names, tagNames } from "./universe.ts";

/** One thing that a client, a sync or the registry itself does; whatever has a number is in `universe.ts`. */
export type Operation =
  | { readonly do: "push"; readonly in: number; readonly blob: number }
  /** The bytes are not those of the digest. */
  | { readonly do: "pushWrong"; readonly in: number; readonly blob: number }
  | { readonly do: "mount"; readonly in: number; readonly blob: number; readonly from: number }
  | { readonly do: "deleteBlob"; readonly in: number; readonly blob: number }
  | { readonly do: "put"; readonly in: number; readonly manifest: number; readonly tags: readonly number[] }
  /** As a sync does it: `sparse` children may be missing. */
  | {
      readonly do: "copy";
      readonly in: number;
      readonly manifest: number;
      readonly sparse: readonly number[];
    }
  | { readonly do: "deleteManifest"; readonly in: number; readonly manifest: number }
  | { readonly do: "tag"; readonly in: number; readonly manifest: number; readonly tag: number }
  | { readonly do: "untag"; readonly in: number; readonly tag: number }
  /** Begins the upload of the blob with the number `upload`. */
  | { readonly do: "begin"; readonly in: number; readonly upload: number }
  | { readonly do: "append"; readonly in: number; readonly upload: number; readonly bytes: number }
  | { readonly do: "finish"; readonly in: number; readonly upload: number }
  | { readonly do: "cancel"; readonly in: number; readonly upload: number }
  /** A transfer of a sync, which rests after so many bytes. */
  | { readonly do: "ingest"; readonly in: number; readonly blob: number; readonly bytes: number }
  /** So that nobody can move or delete the tag; `unlock` lets them again. */
  | { readonly do: "lock" | "unlock"; readonly in: number; readonly tag: number }
  /**
   * What is of the whole registry, `in` whichever: a collection of garbage, without any grace, or its dry run; a checked copy
   * of the database; a scrub of everything.
   */
  | { readonly do: "collect" | "dryRun" | "backup" | "scrub"; readonly in: number };

/** `done`, `no`, or the name of the error. */
export type Outcome = string;

/** Does operations to a store. */
export class Performer {
  private readonly ids: string[] = [];

  /** Names what the store makes: an upload has the same name in every process. */
  readonly newId = (): string => this.ids.shift() ?? randomUUID();

  async perform(content: RegistryContent, operation: Operation): Promise<Outcome> {
    try {
      return (await this.attempt(content, content.open(at(names, operation.in)), operation)) ? "done" : "no";
    } catch (error) {
      return errorName(error);
    }
  }

  private async attempt(
    content: RegistryContent,
    target: ContentRepository,
    operation: Operation,
  ): Promise<boolean> {
    switch (operation.do) {
      case "push":
        await target.push(at(blobs, operation.blob).descriptor, chunksOf(at(blobs, operation.blob).bytes));
        return true;
      case "pushWrong": {
        const { descriptor, bytes } = at(blobs, operation.blob);
        await target.push(descriptor, chunksOf(Buffer.alloc(bytes.length + 1, "wrong")));
        return true;
      }
      case "mount":
        return target.mountBlob(at(blobs, operation.blob).descriptor.digest, at(names, operation.from));
      case "deleteBlob":
        await target.deleteBlob(at(blobs, operation.blob).descriptor.digest);
        return true;
      case "put": {
        const { bytes, descriptor } = at(manifests, operation.manifest).item;
        await target.putManifest(bytes, descriptor.mediaType, {
          tags: operation.tags.map((i) => at(tagNames, i)),
        });
        return true;
      }
      case "copy": {
        const { bytes, descriptor } = at(manifests, operation.manifest).item;
        const sparse = operation.sparse.map((i) => at(manifests, i).item.descriptor.digest);
        await target.push(descriptor, chunksOf(bytes), { sparse });
        return true;
      }
      case "deleteManifest":
        await target.deleteManifest(at(manifests, operation.manifest).item.descriptor.digest);
        return true;
      case "tag":
        await target.tag(at(manifests, operation.manifest).item.descriptor, at(tagNames, operation.tag));
        return true;
      case "untag":
        await target.untag(at(tagNames, operation.tag));
        return true;
      case "ingest":
        await ingest(target, operation.blob, operation.bytes);
        return true;
      case "lock":
      case "unlock": {
        const enabled = operation.do === "unlock";
        const item = { kind: "tag", tag: at(tagNames, operation.tag) } as const;
        return content.locks.change(target.name, item, { writeEnabled: enabled, deleteEnabled: enabled });
      }
      case "collect":
      case "dryRun": {
        const dryRun = operation.do === "dryRun";
        // As late as it may be for what a rescue of the database forgot, too.
        const now = systemClock.now().plus({ days: 8 }).toMillis();
        return isClean(await content.collector.collect({ graceSeconds: 0, dryRun, now }));
      }
      case "backup":
        await backUp(content);
        return true;
      case "scrub":
        await scrubAll(content);
        return true;
      case "begin":
      case "append":
      case "finish":
      case "cancel":
        return this.upload(content, target, operation);
    }
  }

  private async upload(
    content: RegistryContent,
    target: ContentRepository,
    operation: Extract<Operation, { readonly upload: number }>,
  ): Promise<boolean> {
    const { upload: number } = operation;
    if (operation.do === "begin") {
      if (uploadOf(content, target.name, number) !== undefined) return false;
      this.ids.push(uploadId(number));
      await content.uploads.create(target.name);
      return true;
    }
    const upload = content.uploads.find(target.name, uploadId(number));
    const { bytes, descriptor } = at(blobs, number);
    if (operation.do === "append") {
      await upload.append(chunksOf(bytes.subarray(upload.offset, upload.offset + operation.bytes)));
    } else if (operation.do === "finish") await upload.commit(descriptor.digest);
    else await upload.cancel();
    return true;
  }
}

/** The upload of the blob with this number, if it is under way. */
export function uploadOf(
  content: RegistryContent,
  repository: RepositoryName,
  number: number,
): Upload | undefined {
  try {
    return content.uploads.find(repository, uploadId(number));
  } catch (error) {
    if (errorName(error) === "UploadNotFoundError") return undefined;
    throw error;
  }
}

function uploadId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

async function ingest(target: ContentRepository, blob: number, limit: number): Promise<void> {
  const { bytes, descriptor } = at(blobs, blob);
  const transfer = await target.ingest(descriptor);
  try {
    if (transfer.offset < bytes.length) {
      await transfer.write(chunksOf(bytes.subarray(transfer.offset, transfer.offset + limit)));
    }
    if (transfer.offset === bytes.length) await transfer.commit();
  } finally {
    await transfer.suspend();
  }
}

function isClean({ state, faultCount }: CollectionReport): boolean {
  return state === "Succeeded" && faultCount === 0;
}

/** In pieces, as a network brings them. */
function chunksOf(bytes: Buffer): Readable {
  const size = 30_000;
  const count = Math.ceil(bytes.length / size);
  return Readable.from(Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size)));
}
