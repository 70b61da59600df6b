import { createHash } from "node:crypto";
import type { RepositoryName } from "../../common/oci/reference.ts";

const prefix = "upload-";
const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const keyLength = prefix.length + 36 + 1 + 32;

export function isUploadId(text: string): boolean {
  return idPattern.test(text);
}

/** Names one upload of one repository. */
export function keyOf(repository: RepositoryName, id: string): string {
  return `${prefix}${id}-${shortHash(repository, 32)}`;
}

/** Names whose an upload is, and tells nobody who that is. */
export function ownerOf(client: string): string {
  return shortHash(client, 16);
}

/** The name of the staged file of an upload. */
export function stagedName(key: string, owner: string): string {
  return `${key}-${owner}`;
}

/** The parts of the name of a staged file; `undefined` if that is not of an upload. */
export function splitStagedName(name: string): { key: string; owner: string } | undefined {
  if (!name.startsWith(prefix)) return undefined;
  // Those of an earlier version do not say whose they are.
  return { key: name.slice(0, keyLength), owner: name.slice(keyLength + 1) };
}

function shortHash(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}
