import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { algorithmOf, hexOf } from "../../../common/oci/digest.ts";
import { nodeFiles, syncDirectory } from "../files.ts";
import { at, blobs } from "./universe.ts";

/** Does away with the database of a store that nobody has open, as a disk does: its copies are left. */
export async function loseDatabase(directory: string): Promise<void> {
  await rm(join(directory, "registry.db"));
  await syncDirectory(nodeFiles, directory);
}

/** Makes a byte of a stored blob another one, as a disk does. */
export async function spoilBlob(directory: string, blob: number): Promise<void> {
  const { digest } = at(blobs, blob).descriptor;
  const hex = hexOf(digest);
  const file = await open(join(directory, "blobs", algorithmOf(digest), hex.slice(0, 2), hex), "r+");
  try {
    await file.write(Buffer.from("!"), 0, 1, 1);
  } finally {
    await file.close();
  }
}
