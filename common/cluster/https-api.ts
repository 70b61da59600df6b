import type { IncomingMessage } from "node:http";
import { exponential, type Backoff } from "../backoff.ts";
import { seconds, type Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { readBody, readLines } from "../http/body.ts";
import type { Logger } from "../log.ts";
import type { ClusterApi } from "./api.ts";
import { ClusterConnection, type InCluster } from "./connection.ts";
import { ClusterError } from "./errors.ts";

interface ObjectList<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T & { readonly metadata?: { readonly resourceVersion?: string }; readonly code?: number };
}

/** One state of the followed object, and the version of the collection it was seen at. */
interface Sighting<T> {
  readonly object: T | undefined;
  readonly version: string;
}

/** The API server ends a watch after this time; bookmarks come about once a minute, so two missed are a dead connection. */
const watchSeconds = 300;
const watchIdle = seconds(150);
const maxEventBytes = 8 * 1024 * 1024;

/** The cluster's API server, on `node:https`, with a pod's own credentials. */
export class HttpsClusterApi implements ClusterApi {
  private readonly connection: ClusterConnection;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly backoff: Backoff;

  constructor(place: InCluster, clock: Clock, random: () => number, log: Logger) {
    this.connection = new ClusterConnection(place);
    this.clock = clock;
    this.log = log;
    this.backoff = exponential(seconds(1), seconds(30), random);
  }

  /** @throws {ClusterError}, or an error of the system when the API server cannot be reached */
  async get<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.connection.readJson<T>({ method: "GET", path, signal });
    } catch (error) {
      if (error instanceof ClusterError && error.status === 404) return undefined;
      throw error;
    }
  }

  async *follow<T>(path: string, name: string, signal: AbortSignal): AsyncGenerator<T | undefined> {
    const selector = `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
    let last: string | undefined;
    let attempt = 0;
    while (!isAborted(signal)) {
      try {
        for await (const { object, version } of this.sightings<T>(`${path}?${selector}`, signal)) {
          attempt = 0;
          if (version !== last) yield object;
          last = version;
        }
        await this.rest(1, signal);
      } catch (error) {
        if (isAborted(signal)) return;
        attempt += 1;
        const fields = { path, object: name, error: messageOf(error) };
        if (attempt === 1) this.log.warn("lost sight of an object of the cluster, trying again", fields);
        else this.log.debug("still cannot see an object of the cluster", fields);
        await this.rest(attempt, signal);
      }
    }
  }

  /** @throws {ClusterError}, or an error of the system when the API server cannot be reached */
  async apply(path: string, fieldManager: string, object: object, signal?: AbortSignal): Promise<void> {
    const response = await this.connection.send({
      method: "PATCH",
      path: `${path}?fieldManager=${encodeURIComponent(fieldManager)}&force=true`,
      // JSON is YAML.
      contentType: "application/apply-patch+yaml",
      body: JSON.stringify(object),
      signal,
    });
    await readBody(response, maxEventBytes);
  }

  /** Closes idle connections; calls in progress fail. */
  close(): void {
    this.connection.close();
  }

  /**
   * A read, then every change, until the watch cannot go on from where it was: then it returns, to be called again
   * for a fresh read.
   */
  private async *sightings<T>(url: string, signal: AbortSignal): AsyncGenerator<Sighting<T>> {
    const list = await this.connection.readJson<ObjectList<T>>({ method: "GET", path: url, signal });
    yield { object: list.items[0], version: versionOf(list.items[0]) };
    let version = list.metadata.resourceVersion;
    for (;;) {
      const path = `${url}&watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${version}`;
      const body = await this.connection.send({ method: "GET", path, signal, idleTimeout: watchIdle });
      for await (const { type, object } of watchEvents<T>(body)) {
        if (type === "ERROR") {
          // 410: the version is too old to watch from. Anything else is a fault of the server.
          if (object.code === 410) return;
          throw new ClusterError(object.code ?? 500, "the watch ended with an error");
        }
        version = object.metadata?.resourceVersion ?? version;
        if (type === "DELETED") yield { object: undefined, version: versionOf(undefined) };
        else if (type !== "BOOKMARK") yield { object, version };
      }
      // Not at once: something between us and the API server may end every watch as soon as it begins.
      await this.rest(1, signal);
      if (isAborted(signal)) return;
    }
  }

  private rest(attempt: number, signal: AbortSignal): Promise<void> {
    return this.clock.sleep(this.backoff(attempt), signal).catch(() => undefined);
  }
}

/** A function, because the compiler takes a property that it has read once for settled. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** An object that is not there has a version of its own, so that "still not there" is no change. */
function versionOf(object: unknown): string {
  const { metadata } = (object ?? {}) as { readonly metadata?: { readonly resourceVersion?: string } };
  return metadata?.resourceVersion ?? "none";
}

async function* watchEvents<T>(body: IncomingMessage): AsyncGenerator<WatchEvent<T>> {
  for await (const line of readLines(body, maxEventBytes)) {
    if (line !== "") yield JSON.parse(line) as WatchEvent<T>;
  }
}
