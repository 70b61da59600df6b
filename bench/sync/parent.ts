import { text } from "node:stream/consumers";
import { get } from "node:http";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { PushOptions } from "../clients/load.ts";
import { FarSite } from "../servers/far-site.ts";
import { distributionAt } from "../servers/peers.ts";
import { startServer } from "../servers/server.ts";

/** At the far site. */
export const parentPort = 5000;
const metricsPort = 5001;

/** Requests that the parent has answered since it was started. */
export interface Asked {
  readonly all: number;
  /** For the content of layers and configs, or whether it is there. */
  readonly blobs: number;
}

/** CNCF distribution at a far site, with images. It tells what it was asked, and its link what that cost. */
export class FarParent {
  readonly host: string;
  readonly site: FarSite;
  private readonly metrics: string;
  private readonly content = { bytes: 0, paths: [] as string[], repositories: new Set<string>() };

  private constructor(site: FarSite) {
    this.site = site;
    this.host = `${site.address}:${parentPort}`;
    this.metrics = `http://${site.address}:${metricsPort}/metrics`;
  }

  /** What `work` returns; the parent lives as long as it goes on. */
  static async with<T>(
    { programs, folder, logs, load, signal }: Bench,
    images: PushOptions,
    work: (parent: FarParent) => Promise<T>,
  ): Promise<T> {
    const site = await FarSite.create();
    try {
      await site.open();
      const parent = new FarParent(site);
      const debug = { addr: `:${metricsPort}`, prometheus: { enabled: true, path: "/metrics" } };
      const program = await distributionAt(programs, `:${parentPort}`, { debug }, join(folder, "parent"));
      const there = { ...program, name: "parent", ...site.at(program.command, program.args) };
      const url = `http://${parent.host}`;
      const server = await startServer(there, url, `${url}/v2/`, logs, signal);
      try {
        parent.filled(images, (await load.push(url, images)).images);
        return await work(parent);
      } finally {
        await server.stop();
      }
    } finally {
      await site.remove();
    }
  }

  /** Of all blobs and manifests, each once. */
  get bytes(): number {
    return this.content.bytes;
  }

  /** Of every tag's manifest, as any registry serves it. */
  get tagPaths(): readonly string[] {
    return this.content.paths;
  }

  get repositories(): readonly string[] {
    return [...this.content.repositories];
  }

  async asked(): Promise<Asked> {
    const lines = (await read(this.metrics)).split("\n");
    const requests = lines.filter((line) => line.startsWith("registry_http_requests_total{"));
    if (requests.length === 0) throw new Error("the parent does not tell what it was asked");
    const sum = (some: readonly string[]): number =>
      some.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
    return { all: sum(requests), blobs: sum(requests.filter((line) => line.includes('handler="blob"'))) };
  }

  private filled(
    { layers, layerBytes, tags = 1 }: PushOptions,
    images: readonly { readonly repository: string; readonly tag: string; readonly manifest: string }[],
  ): void {
    for (const { repository, tag, manifest } of images) {
      const { config } = JSON.parse(manifest) as { readonly config: { readonly size: number } };
      this.content.repositories.add(repository);
      this.content.bytes += manifest.length + config.size + layers * layerBytes;
      for (let n = 0; n < tags; n++)
        this.content.paths.push(`/v2/${repository}/manifests/${n === 0 ? tag : `${tag}-${n}`}`);
    }
  }
}

/** The body of the answer. */
export function read(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      text(response).then(resolve, reject);
    }).on("error", reject);
  });
}
