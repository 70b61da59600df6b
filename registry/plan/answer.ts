import { maxBiggest, type PlanStatus } from "../../common/contract/status.ts";
import { clip } from "../sync/clip.ts";
import { worstOf } from "../sync/telling/failures.ts";
import { parentFault, sentenceOf } from "../sync/faults.ts";
import type { RepositoryPlan } from "./entries.ts";
import type { Preview } from "./preview.ts";

/** What a status says of a preview: small whatever the number of tags (T95). */
export function answerOf(
  begun: Pick<PlanStatus, "request" | "startTime">,
  { entries, repositories, notice, ending }: Preview,
  endTime: string,
): PlanStatus {
  const sum = (key: "selected" | "here" | "toFetch" | "leftOut" | "failed" | "bytes"): number =>
    repositories.reduce((all, each) => all + each[key], 0);
  const { failures } = worstOf(
    entries
      .filter(({ state }) => state === "Failed")
      .map(({ repository, tag, reason = "" }) => ({
        repository,
        ...(tag === undefined ? {} : { tag }),
        message: clip(reason),
      })),
  );
  const end = ending === undefined ? undefined : (parentFault(ending)?.description ?? sentenceOf(ending));
  const message = end ?? notice;
  return {
    ...begun,
    state: end !== undefined ? "Failed" : sum("failed") > 0 ? "Partial" : "Succeeded",
    endTime,
    tags: {
      selected: sum("selected"),
      here: sum("here"),
      toFetch: sum("toFetch"),
      leftOut: sum("leftOut"),
      failed: sum("failed"),
    },
    bytesToFetch: sum("bytes"),
    biggest: biggestOf(repositories),
    leftOutReasons: reasonsOf(repositories),
    ...(message === undefined ? {} : { message: clip(message) }),
    failures,
  };
}

function biggestOf(repositories: readonly RepositoryPlan[]): NonNullable<PlanStatus["biggest"]> {
  return repositories
    .filter(({ toFetch }) => toFetch > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, maxBiggest)
    .map(({ repository, toFetch, bytes }) => ({ repository, toFetch, bytes }));
}

function reasonsOf(repositories: readonly RepositoryPlan[]): NonNullable<PlanStatus["leftOutReasons"]> {
  const counts = new Map<string, number>();
  for (const { reasons } of repositories) {
    for (const { reason, count } of reasons) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return [...counts].map(([message, count]) => ({ message, count })).sort((a, b) => b.count - a.count);
}
