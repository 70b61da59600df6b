import type { Duration } from "luxon";
import type { Kind, KubeObject } from "./kube.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: object;
  /** The longest silence of the API server; 10 s unless told. */
  readonly idleTimeout?: Duration;
  readonly signal?: AbortSignal;
}

/** Calls to the API server, as ourselves. Every one of them ends: by an answer, a timeout or its signal. */
export interface ApiServer {
  /** @throws {ApiError} for an answer that is no success; an error of the system or a timeout for none */
  json<T>(request: ApiRequest): Promise<T>;
  /** The lines of an answer that goes on and on. Throws as `json` does. */
  lines(request: ApiRequest): AsyncIterable<string>;
}

/** The API server's answer was not a success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  /** As the API server calls it, such as `AlreadyExists`. */
  readonly reason: string;
  /** What is behind the reason, in such words, as far as it says. */
  readonly causes: readonly string[];

  constructor(status: number, reason: string, message: string, causes: readonly string[] = []) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }
}

/** The path of a collection, or of an object in it. Without a namespace: of all namespaces, or of none. */
export function apiPath(kind: Kind<KubeObject>, namespace?: string, name?: string): string {
  const group = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  const inside =
    kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${group}${inside}/${kind.plural}${object}`;
}

/** `object` as we keep it: with its kind, which lists leave out, and without managed fields, which are most of its size. */
export function received<T extends KubeObject>(kind: Kind<T>, object: T): T {
  const metadata: T["metadata"] & { managedFields?: unknown } = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, apiVersion: kind.apiVersion, kind: kind.kind, metadata };
}
