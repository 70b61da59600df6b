import { seconds } from "../../common/clock.ts";
import type { ParentSettings } from "../../common/contract/config.ts";
import { parseRepository, type RepositoryName } from "../../common/oci/reference.ts";
import type { Repositories } from "../content/store.ts";
import { ParentClient, type ClientOptions } from "./client.ts";
import { DeniedError, NotFoundError, ProtocolError, UnauthorizedError } from "./errors.ts";
import { readNames } from "./names.ts";
import { RemoteRepository } from "./repository.ts";
import { RemoteWriter } from "./writer.ts";

/** A parent registry: any that speaks the OCI distribution API. */
export class RemoteRegistry implements Repositories<RemoteRepository> {
  private readonly client: ParentClient;
  private readonly options: ClientOptions;
  private readonly repositories = new Map<RepositoryName, RemoteRepository>();

  constructor(parent: ParentSettings, options: ClientOptions) {
    this.client = new ParentClient(parent, options);
    this.options = options;
  }

  /** Takes on changed credentials and authorities; transfers under way end as they began (T44). */
  configure(parent: ParentSettings): void {
    this.client.configure(parent);
  }

  close(): void {
    this.client.close();
  }

  /**
   * One request, not repeated, that answers within seconds: whether the parent is there. A parent that does not want
   * our credentials is there.
   *
   * @throws {UnreachableError} {@link UntrustedError} {@link RateLimitedError} {@link ProtocolError}
   */
  async ping(signal?: AbortSignal): Promise<void> {
    // Who asks us to wait is there.
    if (this.client.paused) return;
    try {
      const request = { method: "GET", path: "/v2/", scope: "", vital: true, signal } as const;
      (await this.client.send({ ...request, idleTimeout: seconds(5) })).resume();
    } catch (error) {
      if (error instanceof UnauthorizedError || error instanceof DeniedError) return;
      this.client.dropIdle();
      if (!(error instanceof NotFoundError)) throw error;
      throw new ProtocolError("The parent does not speak the OCI distribution API.");
    }
  }

  open(name: RepositoryName): RemoteRepository {
    const known = this.repositories.get(name) ?? new RemoteRepository(this.client, name, this.options.clock);
    this.repositories.set(name, known);
    return known;
  }

  /** For what goes up to the parent. */
  writer(name: RepositoryName): RemoteWriter {
    return new RemoteWriter(this.client, name);
  }

  /** The parent's catalog. @throws {NotFoundError} {@link DeniedError} {@link UnauthorizedError} where it shows none to us */
  async *list(signal?: AbortSignal): AsyncGenerator<RepositoryName> {
    const request = {
      method: "GET",
      path: "/v2/_catalog?n=1000",
      scope: "registry:catalog:*",
      signal,
    } as const;
    yield* await readNames(this.client, request, "repositories", nameOrNothing);
  }
}

/** Names that break the specification's grammar could not be asked for. */
function nameOrNothing(text: string): RepositoryName | undefined {
  try {
    return parseRepository(text);
  } catch {
    return undefined;
  }
}
