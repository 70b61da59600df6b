import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryContent } from "../content.ts";
import type { Knowledge } from "./judge.ts";
import { after, type State } from "./model.ts";
import type { Operation, Performer } from "./operations.ts";
import { surveyUploads } from "./survey.ts";
import { at, blobs, names } from "./universe.ts";

/**
 * What only a crash leaves, and power loss may not: each upload and transfer is there with all that was acknowledged. Those
 * that were under way go on where the store says that they are.
 *
 * @param found the state of all that readers see
 * @returns the state after that
 * @throws if bytes that were acknowledged are gone, or the wrong ones are there
 */
export async function resumeAfterCrash(
  content: RegistryContent,
  performer: Performer,
  { state, underWay }: Knowledge,
  found: State,
): Promise<State> {
  const uploads = new Map<number, { readonly in: number; readonly offset: number }>();
  for (const upload of surveyUploads(content)) {
    const known = uploads.get(upload.number);
    if (known !== undefined) throw new Error(`upload ${upload.number} is there twice`);
    uploads.set(upload.number, { in: upload.in, offset: upload.offset });
  }
  const interrupted = new Set(underWay.flatMap((each) => ("upload" in each ? [each.upload] : [])));
  for (const [number, { offset }] of state.uploads) {
    const now = uploads.get(number);
    const least = interrupted.has(number) && now === undefined ? 0 : offset;
    if (now === undefined && !interrupted.has(number)) throw new Error(`upload ${number} is gone`);
    if (now !== undefined && now.offset < least)
      throw new Error(`upload ${number} went back to ${now.offset}`);
    if (now !== undefined && now.offset > offset && !interrupted.has(number))
      throw new Error(`upload ${number} has more than came`);
  }
  let result: State = { ...found, uploads, transfers: await transfersIn(content, found) };
  for (const number of interrupted) {
    const now = uploads.get(number);
    if (now === undefined) continue;
    const rest: readonly Operation[] = [
      { do: "append", in: now.in, upload: number, bytes: at(blobs, number).bytes.length },
      { do: "finish", in: now.in, upload: number },
    ];
    for (const operation of rest) {
      const outcome = await performer.perform(content, operation);
      if (outcome !== "done") throw new Error(`upload ${number} could not go on: ${outcome}`);
      result = after(result, operation).state;
    }
  }
  return result;
}

/** @throws if something lies in the store that nobody can go on with */
export async function checkLeftovers(directory: string): Promise<void> {
  const left = (await readdir(join(directory, "staging"))).filter((name) => name.startsWith("push-"));
  if (left.length > 0) throw new Error(`these were left: ${left.join(", ")}`);
}

async function transfersIn(content: RegistryContent, state: State): Promise<ReadonlyMap<number, number>> {
  const transfers = new Map<number, number>();
  for (const [number, { descriptor }] of blobs.entries()) {
    if (state.known.has(number)) continue;
    const transfer = await content.open(at(names, 0)).ingest(descriptor);
    transfers.set(number, transfer.offset);
    await transfer.suspend();
  }
  return transfers;
}
