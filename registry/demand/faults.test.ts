import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { image, item, repository, type Item } from "../content/testing/images.ts";
import { transfer } from "../sync/copying/transfer.ts";
import { Edge, large } from "./testing/edge.ts";

/** Numbers in [0, 1) that are the same each time (a linear congruential generator). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layers = [80_000, 150_000, 300_000].map((size) => item(large(String(size), size)));
const app = image(config, layers);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A parent and clients that do what comes into their heads. */
class Turmoil {
  readonly edge: Edge;
  /** How many answers were whole, and how many were not. */
  readonly counts = { whole: 0, cut: 0 };
  private readonly random: () => number;

  constructor(edge: Edge, seed: number) {
    this.edge = edge;
    this.random = randomOf(seed);
    edge.parent.pace = (_blob, rest) => this.answer(rest);
  }

  /** Anybody who fetches, and anybody who asks, for a while. */
  async run(): Promise<void> {
    await Promise.all([...Array.from({ length: 6 }, () => this.client()), this.sync(), this.sync()]);
  }

  private pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)]!;
  }

  /** The rest of a blob in pieces: right, cut, spoilt, or too long. */
  private answer(rest: Buffer): Readable {
    const kind = this.pick(["right", "right", "cut", "spoilt", "long"] as const);
    const bytes = Buffer.concat([rest, Buffer.alloc(kind === "long" ? 100 : 0)]);
    const at = Math.floor(this.random() * rest.length);
    if (kind === "spoilt" && rest.length > 0) bytes[at] = (bytes[at]! + 1) % 256;
    const { random } = this;
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < bytes.length;) {
        if (kind === "cut" && sent >= at) throw new Error("the link is cut");
        const end = Math.min(bytes.length, sent + 1 + Math.floor(random() * 60_000));
        yield bytes.subarray(sent, end);
        sent = end;
        await turn();
      }
    }
    return Readable.from(pieces(), { objectMode: false });
  }

  private async client(): Promise<void> {
    for (let pulls = 0; pulls < 6; pulls++) {
      const manifest = await this.edge.get("apps/hello/manifests/v1");
      expect(manifest.body.equals(app.bytes)).toBe(true);
      await this.download(this.pick(layers));
    }
  }

  private async download({ descriptor, bytes }: Item): Promise<void> {
    const start = this.random() < 0.5 ? 0 : Math.floor(this.random() * bytes.length);
    const headers = start === 0 ? {} : { range: `bytes=${start}-` };
    const client = this.edge.download(`apps/hello/blobs/${descriptor.digest}`, headers);
    if (this.random() < 0.2) {
      await turn();
      client.leave();
    }
    const body = await client.body.catch(() => undefined);
    const status = await client.status.catch(() => 0);
    if (body !== undefined && status < 300) {
      this.counts.whole += 1;
      expect(body.equals(bytes.subarray(start))).toBe(true);
    } else this.counts.cut += 1;
  }

  /** Fetches the same by itself, and gives up when it likes. */
  private async sync(): Promise<void> {
    const name = repository("apps/hello");
    for (let blobs = 0; blobs < 6; blobs++) {
      const stop = new AbortController();
      const { descriptor } = this.pick(layers);
      const source = this.edge.parent.open(name);
      const target = this.edge.registry.content.open(name);
      const moving = transfer(source, target, descriptor, stop.signal).catch(() => undefined);
      for (let turns = this.random() * 40; turns > 0; turns--) await turn();
      if (this.random() < 0.5) stop.abort(new Error("the window closes"));
      await moving;
    }
  }
}

describe.each(["memory", "files"])("in %s", (kind) => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "demand-"));
  });

  afterAll(() => rm(folder, { recursive: true }));

  test("whatever the parent sends and whoever leaves, what looks whole is right, and in the end all is here", async () => {
    const counts = { whole: 0, cut: 0 };
    for (let seed = 1; seed <= 6; seed++) {
      const edge = await Edge.open("read", kind === "files" ? join(folder, String(seed)) : undefined);
      try {
        await edge.parent.put("apps/hello", [config, ...layers, app], "v1");
        const turmoil = new Turmoil(edge, seed);
        await turmoil.run();
        counts.whole += turmoil.counts.whole;
        counts.cut += turmoil.counts.cut;
        edge.parent.pace = () => undefined;
        const [root, ...blobs] = await edge.pull("apps/hello", "v1");
        expect(root?.status).toBe(200);
        const right = blobs.map(({ body }, i) => body.equals([config, ...layers][i]!.bytes));
        expect(right).toEqual(Array(4).fill(true));
        await edge.eventuallyHas("apps/hello", "v1");
      } finally {
        await edge.close();
      }
    }
    // Both happened, and often.
    expect(counts.whole).toBeGreaterThan(50);
    expect(counts.cut).toBeGreaterThan(25);
  });
});
