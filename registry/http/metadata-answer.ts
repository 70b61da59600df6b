import { DateTime } from "luxon";
import type { LockedItem, LockTarget } from "../content/locks/locks.ts";
import type { RepositoryCall } from "./call.ts";

/** What ACR says of `item`, and what it is of. */
export function answerOf(call: RepositoryCall, target: LockTarget, item: LockedItem): object {
  const head = headOf(call);
  switch (target.kind) {
    case "repository": {
      const { attributes: changeableAttributes, counts } = item;
      const { manifests: manifestCount, tags: tagCount } = counts ?? {};
      return { ...head, ...timesOf(item), manifestCount, tagCount, changeableAttributes };
    }
    case "tag":
      return { ...head, tag: tagOf(target.tag, item) };
    case "manifest":
      return { ...head, manifest: manifestOf(item) };
  }
}

/** What each answer about a repository begins with. */
export function headOf({ request, repository }: RepositoryCall): object {
  return { registry: request.headers.host ?? "", imageName: repository.name };
}

export function tagOf(name: string, item: LockedItem): object {
  const { attributes: changeableAttributes, digest } = item;
  return { name, digest, ...timesOf(item), signed: false, changeableAttributes };
}

export function manifestOf(item: LockedItem): object {
  const { attributes: changeableAttributes, digest, manifest } = item;
  return { digest, ...manifest, ...timesOf(item), changeableAttributes };
}

function timesOf({ createdAt, updatedAt }: LockedItem): object {
  return {
    ...(createdAt === 0 ? {} : { createdTime: timeOf(createdAt) }),
    ...(updatedAt === 0 ? {} : { lastUpdateTime: timeOf(updatedAt) }),
  };
}

function timeOf(milliseconds: number): string | null {
  return DateTime.fromMillis(milliseconds, { zone: "utc" }).toISO();
}
