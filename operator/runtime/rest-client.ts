import { seconds } from "../../common/clock.ts";
import { ApiError, apiPath, received, type ApiServer } from "./api-server.ts";
import {
  ConflictError,
  NamespaceTerminatingError,
  RejectedError,
  type Kind,
  type KubeClient,
  type KubeObject,
  type NamespacedName,
} from "./kube.ts";

/** One page of a list. */
interface ObjectList<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  /** A list of metadata alone has `null` for none. */
  readonly items: readonly T[] | null;
}

const pageSize = 500;
const listTimeout = seconds(30);
/** Statuses that the same call would get again. */
const rejections: ReadonlySet<number> = new Set([400, 403, 404, 405, 413, 415, 422]);

/** The API server as a `KubeClient`. Reads are answered by the API server, not from a cache. */
export class RestClient implements KubeClient {
  private readonly api: ApiServer;
  private readonly writing: string;

  /** @param fieldManager who owns the fields that are applied here */
  constructor(api: ApiServer, fieldManager: string) {
    this.api = api;
    this.writing = `fieldManager=${encodeURIComponent(fieldManager)}&fieldValidation=Strict`;
  }

  async get<T extends KubeObject>(
    kind: Kind<T>,
    { namespace, name }: NamespacedName,
  ): Promise<T | undefined> {
    try {
      return received(kind, await this.api.json<T>({ method: "GET", path: apiPath(kind, namespace, name) }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw translated(error);
    }
  }

  async list<T extends KubeObject>(kind: Kind<T>, namespace?: string): Promise<readonly T[]> {
    try {
      return (await listAll(this.api, kind, apiPath(kind, namespace), "")).items;
    } catch (error) {
      throw translated(error);
    }
  }

  async apply<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const { namespace, name } = object.metadata;
    return await this.patch(kind, apiPath(kind, namespace, name), object);
  }

  async applyStatus<T extends KubeObject & { readonly status?: object }>(
    kind: Kind<T>,
    { namespace, name }: NamespacedName,
    status: NonNullable<T["status"]>,
    resourceVersion?: string,
  ): Promise<T> {
    const { apiVersion, kind: word, namespaced } = kind;
    const metadata = {
      name,
      ...(namespaced && { namespace }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    };
    try {
      return await this.patch<T>(kind, `${apiPath(kind, namespace, name)}/status`, {
        apiVersion,
        kind: word,
        metadata,
        status,
      });
    } catch (error) {
      throw goneIsConflict(error);
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T | undefined> {
    const path = `${apiPath(kind, object.metadata.namespace)}?${this.writing}`;
    const contentType = "application/json";
    try {
      return received(kind, await this.api.json<T>({ method: "POST", path, contentType, body: object }));
    } catch (error) {
      if (error instanceof ApiError && error.reason === "AlreadyExists") return undefined;
      throw translated(error);
    }
  }

  async setFinalizers<T extends KubeObject>(
    kind: Kind<T>,
    { namespace, name }: NamespacedName,
    finalizers: readonly string[],
    resourceVersion: string,
  ): Promise<T> {
    const path = `${apiPath(kind, namespace, name)}?${this.writing}`;
    const body = { metadata: { resourceVersion, finalizers } };
    const contentType = "application/merge-patch+json";
    try {
      return received(kind, await this.api.json<T>({ method: "PATCH", path, contentType, body }));
    } catch (error) {
      throw goneIsConflict(translated(error));
    }
  }

  async delete<T extends KubeObject>(
    kind: Kind<T>,
    { namespace, name }: NamespacedName,
    uid?: string,
  ): Promise<void> {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    // Background: dependents are the garbage collector's to delete, after the object itself.
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Background",
      ...preconditions,
    };
    const path = apiPath(kind, namespace, name);
    try {
      await this.api.json({ method: "DELETE", path, contentType: "application/json", body });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return;
      // Another object of that name: the one that was meant is gone.
      if (error instanceof ApiError && error.status === 409 && uid !== undefined) return;
      throw translated(error);
    }
  }

  private async patch<T extends KubeObject>(kind: Kind<T>, path: string, body: object): Promise<T> {
    const contentType = "application/apply-patch+yaml";
    try {
      return received(
        kind,
        await this.api.json<T>({
          method: "PATCH",
          path: `${path}?${this.writing}&force=true`,
          // JSON is YAML.
          contentType,
          body,
        }),
      );
    } catch (error) {
      throw translated(error);
    }
  }
}

/** Every page of the list at `path`, as of one resource version. */
export async function listAll<T extends KubeObject>(
  api: ApiServer,
  kind: Kind<T>,
  path: string,
  query: string,
  options: { readonly accept?: string; readonly signal?: AbortSignal } = {},
): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
  const items: T[] = [];
  let token = "";
  for (;;) {
    const page = await api.json<ObjectList<T>>({
      method: "GET",
      path: `${path}?limit=${pageSize}${query}${token === "" ? "" : `&continue=${encodeURIComponent(token)}`}`,
      idleTimeout: listTimeout,
      ...options,
    });
    for (const item of page.items ?? []) items.push(received(kind, item));
    token = page.metadata.continue ?? "";
    if (token === "") return { items, resourceVersion: page.metadata.resourceVersion };
  }
}

/** Of what is done to an object that was seen. */
function goneIsConflict(error: unknown): unknown {
  const gone = error instanceof RejectedError && error.status === 404;
  return gone ? new ConflictError(error.message, { cause: error }) : error;
}

/** The API server calls it its own fault when an object that is applied has a field that its kind does not have. */
function isUntypable({ status, message }: ApiError): boolean {
  return status === 500 && message.includes("failed to create typed patch object");
}

function translated(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.causes.includes("NamespaceTerminating")) {
    return new NamespaceTerminatingError(error.message, { cause: error });
  }
  if (error.status === 409) return new ConflictError(error.message, { cause: error });
  if (rejections.has(error.status) || isUntypable(error))
    return new RejectedError(error.status, error.message);
  return error;
}
