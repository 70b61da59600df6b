import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import pLimit from "p-limit";
import { digestOf, verify, type Descriptor } from "../../../common/oci/digest.ts";
import { parseManifest } from "../../../common/oci/manifest.ts";
import { ofManifest } from "../../../common/oci/mediatype.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import type { ContentRepository } from "../../content/repository.ts";
import type { ContentReader, RangeReader } from "../../content/store.ts";
import { index, repository, type Item } from "../../content/testing/images.ts";
import { UnreachableError } from "../../remote/errors.ts";
import { imagePlan, itemsOf } from "../../testing/soak/images.ts";
import { completeGraph } from "../planning/closure.ts";
import { copyGraph } from "./copy.ts";
import { Flights } from "./flights.ts";
import { everyPlatform } from "../planning/platform.ts";
import { ContentParent, openContent } from "../testing/content-parent.ts";

const name = repository("apps/hello");

/** What happens to one answer of a source, after so many bytes of it. */
interface Fault {
  readonly kind: "none" | "cut" | "truncate" | "flip" | "abort";
  readonly after: number;
}

/** A parent whose answers break, one after the other as `faults` say, and after the last of them no more. */
class BreakingSource implements ContentReader, RangeReader {
  private readonly source: ContentReader & RangeReader;
  private readonly faults: Fault[];
  stop = new AbortController();

  constructor(source: ContentReader & RangeReader, faults: readonly Fault[]) {
    this.source = source;
    this.faults = [...faults];
  }

  exists(target: Descriptor): Promise<boolean> {
    return this.source.exists(target);
  }

  async fetch(target: Descriptor): Promise<Readable> {
    const bytes = await this.broken(await this.source.fetch(target));
    return bytes.compose(verify(target)) as Readable;
  }

  async fetchFrom(target: Descriptor, offset: number): Promise<Readable> {
    return this.broken(await this.source.fetchFrom(target, offset));
  }

  private async broken(content: Readable): Promise<Readable> {
    const bytes = await buffer(content);
    const { kind, after } = this.faults.shift() ?? { kind: "none", after: 0 };
    const { stop } = this;
    const whole = bytes.subarray(0, kind === "none" || kind === "flip" ? bytes.length : after);
    if (kind === "flip" && after < whole.length) whole.writeUInt8(whole.readUInt8(after) ^ 1, after);
    return Readable.from(
      (async function* () {
        if (whole.length > 0) yield whole;
        if (kind === "abort") stop.abort(new Error("the window has closed"));
        if (kind === "cut" || kind === "abort") throw new UnreachableError("the link broke");
      })(),
      { objectMode: false },
    );
  }
}

/** Nothing is here without its children, and nothing with wrong bytes. */
async function expectWhole(local: ContentRepository, items: readonly Item[]): Promise<void> {
  for (const { descriptor, bytes } of items) {
    if (!(await local.exists(descriptor))) continue;
    expect(digestOf(await buffer(await local.fetch(descriptor)))).toBe(descriptor.digest);
    if (!ofManifest(descriptor)) continue;
    const { blobs, manifests } = parseManifest(bytes, descriptor.mediaType);
    for (const child of [...blobs, ...manifests]) expect(await local.exists(child)).toBe(true);
  }
}

test("T20 T31 T32 whatever becomes of answers, nothing half or wrong is here, and all of it in the end", async () => {
  const image = imagePlan([0, 1, 3]).map(itemsOf);
  const graph = fc.oneof(
    image,
    fc.array(image, { minLength: 1, maxLength: 3 }).map((images) => {
      const roots = images.flatMap((items) => items.at(-1) ?? []);
      return [...images.flat(), index(roots)];
    }),
  );
  const fault: fc.Arbitrary<Fault> = fc.record({
    kind: fc.constantFrom("none", "none", "cut", "truncate", "flip", "abort"),
    after: fc.nat(4000),
  });
  let failures = 0;
  await fc.assert(
    fc.asyncProperty(
      graph,
      fc.array(fault, { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (items, faults, slots) => {
        const store = await openContent(new ManualClock());
        const parent = new ContentParent(await openContent(new ManualClock()));
        try {
          await parent.put(name, items);
          const source = new BreakingSource(parent.open(name), faults);
          const local = store.open(name);
          const root = items.at(-1)!.descriptor;
          for (let attempt = 0; ; attempt++) {
            source.stop = new AbortController();
            const limit = pLimit(slots);
            const options = { limit: <T>(task: () => Promise<T>) => limit(task), platforms: everyPlatform };
            const { signal } = source.stop;
            const copied = await copyGraph(source, local, root, {
              ...options,
              flights: new Flights(),
              signal,
            }).then(
              () => true,
              () => false,
            );
            await expectWhole(local, items);
            if (copied) break;
            failures += 1;
            expect(attempt).toBeLessThan(faults.length);
          }
          expect(await completeGraph(local, root, everyPlatform, new Set())).toBeDefined();
        } finally {
          await store.close();
          await parent.content.close();
        }
      },
    ),
    { numRuns: 80 },
  );
  expect(failures).toBeGreaterThan(20);
});
