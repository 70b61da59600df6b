import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryContent } from "../content.ts";
import type { Knowledge } from "./knowledge.ts";
import { after, uploadKey, type State } from "./model.ts";
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
  const uploads = surveyUploads(content);
  const interrupted = underWay.filter((each) => "upload" in each);
  const isInterrupted = (key: string): boolean => interrupted.some((each) => uploadKey(each) === key);
  for (const key of new Set([...state.uploads.keys(), ...uploads.keys()])) {
    const [before, now] = [state.uploads.get(key), uploads.get(key)];
    const mayHave = isInterrupted(key) && (now === undefined || now >= (before ?? 0));
    if (before !== now && !mayHave) throw new Error(`upload ${key} is at ${now}, and was at ${before}`);
  }
  // What no repository has may be known all the same, or not: where its transfer goes on tells.
  const known = new Set(found.repositories.flatMap((is) => [...is.blobs]));
  let result: State = { ...found, known, uploads, transfers: await transfersIn(content, known) };
  for (const { in: repository, upload } of interrupted) {
    if (!uploads.has(uploadKey({ in: repository, upload }))) continue;
    const rest: readonly Operation[] = [
      { do: "append", in: repository, upload, bytes: at(blobs, upload).bytes.length },
      { do: "finish", in: repository, upload },
    ];
    for (const operation of rest) {
      const outcome = await performer.perform(content, operation);
      if (outcome !== "done") throw new Error(`upload ${upload} could not go on: ${outcome}`);
      result = after(result, operation).state;
    }
  }
  return result;
}

/**
 * Power loss may take or tear what nobody counts on yet: each upload and transfer that is still there goes on, and ends with the
 * whole blob, or with a refusal after which a transfer begins anew.
 *
 * @param directory of the store
 * @param found the state of all that readers see
 * @returns the state after that
 * @throws if one cannot go on, or brings anything else than its blob
 */
export async function resumeAfterPowerLoss(
  content: RegistryContent,
  performer: Performer,
  directory: string,
  found: State,
): Promise<State> {
  let result = found;
  const perform = async (operation: Operation, outcomes: readonly string[]): Promise<boolean> => {
    const outcome = await performer.perform(content, operation);
    if (!outcomes.includes(outcome)) throw new Error(`${JSON.stringify(operation)} ended with ${outcome}`);
    return outcome === "done";
  };
  for (const key of surveyUploads(content).keys()) {
    const [repository = NaN, upload = NaN] = key.split("/").map(Number);
    const { length } = at(blobs, upload).bytes;
    await perform({ do: "append", in: repository, upload, bytes: length }, ["done"]);
    const finish: Operation = { do: "finish", in: repository, upload };
    if (await perform(finish, ["done", "DigestMismatchError"]))
      result = after(result, { do: "push", in: repository, blob: upload }).state;
  }
  const staged = await readdir(join(directory, "staging"));
  for (const [number, { descriptor, bytes }] of blobs.entries()) {
    if (!staged.includes(`ingest-${descriptor.digest.replace(":", "-")}`)) continue;
    const transfer: Operation = { do: "ingest", in: 0, blob: number, bytes: bytes.length };
    if (!(await perform(transfer, ["done", "DigestMismatchError"]))) await perform(transfer, ["done"]);
    result = after(result, { do: "push", in: 0, blob: number }).state;
  }
  return result;
}

/** @throws if something lies in the store that nobody can go on with */
export async function checkLeftovers(directory: string): Promise<void> {
  const left = (await readdir(join(directory, "staging"))).filter((name) => name.startsWith("push-"));
  if (left.length > 0) throw new Error(`these were left: ${left.join(", ")}`);
}

async function transfersIn(
  content: RegistryContent,
  known: ReadonlySet<number>,
): Promise<ReadonlyMap<number, number>> {
  const transfers = new Map<number, number>();
  for (const [number, { descriptor }] of blobs.entries()) {
    if (known.has(number)) continue;
    const transfer = await content.open(at(names, 0)).ingest(descriptor);
    transfers.set(number, transfer.offset);
    await transfer.suspend();
  }
  return transfers;
}
