import { get as request } from "node:http";
import { Readable } from "node:stream";
import { parseSettings, type RegistrySettings } from "../../../common/contract/config.ts";
import { createMetrics } from "../../../common/metrics.ts";
import type { Descriptor } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { openContent as openContentAt, openMemoryContent } from "../../content/content.ts";
import { repository, type Item } from "../../content/testing/images.ts";
import { openLoopback, type Answer, type Loopback } from "../../http/testing/loopback.ts";
import type { ParentRepository } from "../../sync/parent.ts";
import { ContentParent, openContent } from "../../sync/testing/content-parent.ts";
import { Confirmations } from "../confirmations.ts";
import { createDemandMetrics } from "../metrics.ts";
import { OnDemand } from "../on-demand.ts";

/** A parent whose blobs come as a test lets them. */
class PacedParent extends ContentParent {
  /** What comes instead of a blob's bytes from an offset on; `undefined`: these bytes, at once. */
  pace: (blob: Descriptor, rest: Buffer) => Readable | undefined = () => undefined;

  override open(name: RepositoryName): ParentRepository {
    const source = super.open(name);
    const fetchFrom: ParentRepository["fetchFrom"] = async (blob, offset, signal) => {
      const plain = await source.fetchFrom(blob, offset, signal);
      const bytes = Buffer.concat((await plain.toArray()) as Buffer[]);
      return this.pace(blob, bytes) ?? Readable.from([bytes], { objectMode: false });
    };
    return new Proxy(source, {
      get: (target, key) => {
        if (key === "fetchFrom") return fetchFrom;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }
}

/** An answer on its way to a client. */
class Download {
  received = 0;
  /** All of it; rejects if the connection ends before. */
  readonly body: Promise<Buffer>;
  readonly status: Promise<number>;
  /** The client goes away. */
  readonly leave: () => void;

  constructor(port: number, path: string, headers: Readonly<Record<string, string>>) {
    const status = Promise.withResolvers<number>();
    const body = Promise.withResolvers<Buffer>();
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      status.resolve(response.statusCode ?? 0);
      response.on("data", (chunk: Buffer) => {
        this.received += chunk.length;
        chunks.push(chunk);
      });
      response.on("end", () => {
        body.resolve(Buffer.concat(chunks));
      });
      response.on("error", body.reject);
    });
    sent.on("error", (error) => {
      status.reject(error);
      body.reject(error);
    });
    this.status = status.promise;
    this.body = body.promise;
    this.leave = () => {
      sent.destroy();
    };
    this.status.catch(() => undefined);
    this.body.catch(() => undefined);
  }

  async came(bytes: number): Promise<void> {
    await eventually(() => this.received >= bytes, `${bytes} bytes`);
  }
}

/** Settings by which images of `apps/` are selected. */
function settings(sync: object = {}): RegistrySettings {
  return parseSettings({
    version: 1,
    name: "edge",
    parent: { loginServer: "parent.example" },
    sync: { repositories: [{ name: "apps/**" }], onDemand: { policy: "Selected" }, ...sync },
  });
}

/** A registry over HTTP that fetches on demand from a parent in memory. No sync runs. */
export class Edge {
  readonly registry: Loopback;
  readonly parent: PacedParent;
  readonly metrics = createMetrics();
  readonly confirmations: Confirmations;
  readonly onDemand: OnDemand;
  /** Whether the parent is known to be away. */
  away = false;
  looks = 0;
  /** Whether what clients change here is to go up. */
  goesUp = false;
  /** When tags were last known to be right, in milliseconds since 1970. */
  since = 0;
  private configured = settings();
  private readonly end = new AbortController();

  private constructor(registry: Loopback, parent: PacedParent) {
    this.registry = registry;
    this.parent = parent;
    const { clock, content } = registry;
    this.confirmations = new Confirmations(clock);
    this.onDemand = new OnDemand({
      content,
      sync: () => this.configured.sync,
      parent: () => ({
        parent,
        away: this.away,
        signal: this.end.signal,
        look: () => {
          this.looks += 1;
        },
      }),
      confirmations: this.confirmations,
      since: async () => this.since,
      metrics: createDemandMetrics(this.metrics),
      clock,
      log: silentLog,
    });
    registry.elsewhere = this.onDemand;
  }

  /** @param directory absent: it keeps what it has in memory */
  static async open(anonymous = "read", directory?: string): Promise<Edge> {
    const registry = await openLoopback(anonymous, silentLog, (given) => {
      const options = { ...given, goesUp: () => edge.goesUp };
      return directory === undefined ? openMemoryContent(options) : openContentAt(directory, options);
    });
    const edge: Edge = new Edge(registry, new PacedParent(await openContent(registry.clock)));
    return edge;
  }

  configure(sync: object): void {
    this.configured = settings(sync);
    this.confirmations.configure(this.configured.sync?.freshness ?? []);
  }

  /** The parent, or the rules, are others. */
  endSession(): void {
    this.end.abort(new Error("the settings have changed"));
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.registry.send("GET", `/v2/${path}`, { headers });
  }

  /** A blob, for a client that looks at what has come so far. */
  download(path: string, headers: Readonly<Record<string, string>> = {}): Download {
    return new Download(this.registry.port, `/v2/${path}`, headers);
  }

  /** As a client pulls: the manifest, of an index the first child, and then what it names. */
  async pull(name: string, reference: string): Promise<readonly Answer[]> {
    const root = await this.get(`${name}/manifests/${reference}`);
    if (root.status !== 200) return [root];
    const document = JSON.parse(root.body.toString()) as {
      readonly manifests?: readonly Descriptor[];
      readonly config?: Descriptor;
      readonly layers?: readonly Descriptor[];
    };
    const child = document.manifests?.[0];
    if (child !== undefined) return [root, ...(await this.pull(name, child.digest))];
    const blobs = [...(document.config === undefined ? [] : [document.config]), ...(document.layers ?? [])];
    return [root, ...(await Promise.all(blobs.map(({ digest }) => this.get(`${name}/blobs/${digest}`))))];
  }

  /** What `name` has under a tag or digest. */
  has(name: string, reference: string): boolean {
    return this.registry.content.open(repository(name)).find(reference as never) !== undefined;
  }

  async eventuallyHas(name: string, reference: string): Promise<void> {
    await eventually(() => this.has(name, reference), `${name}:${reference}`);
  }

  /** The value of a metric of ours. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    const values = (await this.metrics.getSingleMetric(`connected_registry_${name}`)?.get())?.values ?? [];
    return values.find((each) => Object.entries(labels).every(([key, value]) => each.labels[key] === value))
      ?.value;
  }

  async close(): Promise<void> {
    this.parent.fault = () => undefined;
    this.endSession();
    await this.registry.close();
    await this.parent.content.close();
  }
}

/** Bytes that are no other item's, of a layer that is too large to be sent at once. */
export function large(seed: string, size = 200_000): Buffer {
  return Buffer.alloc(size, `${seed} `);
}

/** How often `item` was fetched, of what a parent was asked. */
export function fetches(asked: readonly string[], { descriptor }: Item): number {
  return asked.filter((ask) => ask.startsWith("fetch ") && ask.endsWith(descriptor.digest)).length;
}
