import type { ClusterApi } from "../cluster/api.ts";

/** One call of `apply`. */
export interface Applied {
  readonly path: string;
  readonly fieldManager: string;
  readonly object: object;
}

/** An API server in memory: what a test puts is followed at once, and what is applied is remembered. */
export class MemoryCluster implements ClusterApi {
  readonly applied: Applied[] = [];
  /** While set, every call of `apply` fails with it. */
  failure: Error | undefined;
  private readonly objects = new Map<string, unknown>();
  private changed = Promise.withResolvers<undefined>();

  /** Puts, or with `undefined` removes, the object called `name` of the collection at `path`. */
  put(path: string, name: string, object: object | undefined): void {
    if (object === undefined) this.objects.delete(`${path}/${name}`);
    else this.objects.set(`${path}/${name}`, object);
    this.changed.resolve(undefined);
    this.changed = Promise.withResolvers();
  }

  async get<T>(path: string): Promise<T | undefined> {
    return this.objects.get(path) as T | undefined;
  }

  async *follow<T>(path: string, name: string, signal: AbortSignal): AsyncGenerator<T | undefined> {
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
    });
    let told: unknown = "nothing yet";
    for (let over = signal.aborted; !over; over = signal.aborted) {
      const { promise } = this.changed;
      const object = this.objects.get(`${path}/${name}`) as T | undefined;
      if (object !== told) {
        told = object;
        yield object;
      } else await Promise.race([promise, stopped]);
    }
  }

  async apply(path: string, fieldManager: string, object: object): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.applied.push({ path, fieldManager, object });
  }
}
