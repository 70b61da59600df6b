import fc from "fast-check";
import type { LinkCondition } from "../../../common/testing/fault-link.ts";
import { imagePlan, type ImagePlan } from "./images.ts";

export type Side = "parent" | "edge";

/** One thing that happens to two registries and the link between them. Numbers stand for names. */
export type Happening = { readonly pauseMs: number } & (
  | {
      readonly do: "push";
      readonly at: Side;
      readonly repository: number;
      readonly tag: number;
      readonly image: ImagePlan;
    }
  /** Of one of the images that were pushed there. */
  | {
      readonly do: "move";
      readonly at: Side;
      readonly repository: number;
      readonly tag: number;
      readonly image: number;
    }
  /** Something that refers to what a tag is there, as a signature does. */
  | {
      readonly do: "attach";
      readonly at: Side;
      readonly repository: number;
      readonly tag: number;
      readonly number: number;
    }
  | { readonly do: "untag"; readonly at: Side; readonly repository: number; readonly tag: number }
  /** All of what the edge has under one of its tags. */
  | { readonly do: "pull"; readonly repository: number; readonly tag: number }
  | { readonly do: "kill"; readonly at: Side }
  | { readonly do: "link"; readonly condition: LinkCondition }
  | { readonly do: "cut"; readonly afterBytes: number }
);

export const repositories = ["apps/web", "apps/api", "base", "team/deep/tool"] as const;
const tagCount = 8;
/** In KiB. */
const layerSizes = [0, 1, 7, 64, 300, 1500];

/** Tags of one kind: `v3`. */
export function tagName(number: number): string {
  return `v${number}`;
}

const repository = fc.nat(repositories.length - 1);
const tag = fc.nat(tagCount - 1);
const pauseMs = fc.nat(400);
const perfect: LinkCondition = { state: "up", latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

const condition: fc.Arbitrary<LinkCondition> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(perfect) },
  {
    weight: 4,
    arbitrary: fc.record({
      state: fc.constant("up" as const),
      latencyMs: fc.constantFrom(0, 5, 60),
      bytesPerSecond: fc.constantFrom(100_000, 1_000_000, 10_000_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { ...perfect, state: "silent" as const },
      { ...perfect, state: "down" as const },
    ),
  },
);

const at = fc.constantFrom<Side[]>("parent", "edge");
const place = { pauseMs, at, repository, tag };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ ...place, do: fc.constant("push" as const), image: imagePlan(layerSizes) }),
  },
  { weight: 12, arbitrary: fc.record({ ...place, do: fc.constant("move" as const), image: fc.nat() }) },
  { weight: 6, arbitrary: fc.record({ ...place, do: fc.constant("untag" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ ...place, do: fc.constant("attach" as const), number: fc.nat(1000) }),
  },
  { weight: 15, arbitrary: fc.record({ pauseMs, do: fc.constant("pull" as const), repository, tag }) },
  { weight: 20, arbitrary: fc.record({ pauseMs, do: fc.constant("link" as const), condition }) },
  {
    weight: 12,
    arbitrary: fc.record({ pauseMs, do: fc.constant("cut" as const), afterBytes: fc.nat(2_000_000) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      pauseMs,
      do: fc.constant("kill" as const),
      at: fc.constantFrom("edge" as const, "edge" as const, "parent" as const),
    }),
  },
);

/** As many as are wanted, the same for one seed. */
export function* lifeOf(seed: number): Generator<Happening> {
  for (let round = 0; ; round++) yield* fc.sample(happening, { seed: seed + round, numRuns: 200 });
}
