import { seconds } from "../../common/clock.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { image, item, repository, streamOf, tag } from "../content/testing/images.ts";
import { TagNotFoundError } from "../content/store.ts";
import {
  ProtocolError,
  RateLimitedError,
  UnauthorizedError,
  UnreachableError,
  UntrustedError,
} from "../remote/errors.ts";
import type { Answer } from "../http/testing/loopback.ts";
import { Edge } from "./testing/edge.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const old = image(config, [], { annotations: { release: "1" } });
const now = image(config, [], { annotations: { release: "2" } });
const manifest = "apps/hello/manifests/v1";

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.open();
  edge.since = edge.registry.clock.millis();
  const here = edge.registry.content.open(repository("apps/hello"));
  for (const each of [config, old]) await here.push(each.descriptor, streamOf(each));
  await here.tag(old.descriptor, tag("v1"));
  await edge.parent.put("apps/hello", [config, old], "v1");
  edge.configure({ freshness: [{ check: "Always" }] });
});

afterEach(async () => {
  await edge.close();
});

/** What a client got, and how old that is. */
function told({ status, headers, body }: Answer): readonly unknown[] {
  return [status, headers.age, body.equals(old.bytes) ? "old" : body.equals(now.bytes) ? "new" : "other"];
}

describe("a tag that is here is served at once (T51)", () => {
  const never = new Promise<never>(() => undefined);
  test.each([
    { parent: "refused", fault: new UnreachableError("refused") },
    { parent: "cut off by its 5xx", fault: new UnreachableError("500") },
    { parent: "limits us", fault: new RateLimitedError("429", seconds(60)) },
    { parent: "does not know us", fault: new UnauthorizedError("401") },
    { parent: "has it no more", fault: new TagNotFoundError("v1") },
    { parent: "shows a wrong certificate", fault: new UntrustedError("CERT_HAS_EXPIRED") },
    { parent: "speaks something else", fault: new ProtocolError("200 and a page of HTML") },
  ])("though the parent $parent", async ({ fault }) => {
    edge.parent.fault = () => {
      throw fault;
    };
    await edge.registry.clock.advance(seconds(30));
    expect(told(await edge.get(manifest))).toEqual([200, "30", "old"]);
  });

  test("though the parent is silent: after one second the first time, and then at once", async () => {
    edge.parent.fault = async () => await never;
    const waiting = edge.get(manifest);
    await eventually(() => edge.registry.clock.sleeping === 1, "somebody who waits");
    await edge.registry.clock.advance(seconds(1));
    expect(told(await waiting)).toEqual([200, "0", "old"]);
    const pulls = await Promise.all(Array.from({ length: 100 }, () => edge.get(manifest)));
    expect(new Set(pulls.map((answer) => told(answer).join()))).toEqual(new Set(["200,1,old"]));
    expect([edge.parent.recent(), edge.looks]).toEqual([["resolve apps/hello:v1"], 1]);
    await expect(edge.metric("freshness_pulls_total", { outcome: "stale" })).resolves.toBe(101);
    await expect(edge.metric("freshness_stale_seconds")).resolves.toBe(1);
  });

  test("though the parent is known to be away: nobody asks", async () => {
    edge.away = true;
    expect(told(await edge.get(manifest))).toEqual([200, "0", "old"]);
    expect([edge.parent.recent(), edge.looks]).toEqual([[], 1]);
  });
});

test("a parent that comes back is asked again", async () => {
  edge.parent.fault = () => {
    throw new UnreachableError("refused");
  };
  await edge.get(manifest);
  edge.parent.fault = () => undefined;
  await edge.registry.clock.advance(seconds(5));
  expect(told(await edge.get(manifest))).toEqual([200, "0", "old"]);
  await expect(edge.metric("freshness_pulls_total", { outcome: "confirmed" })).resolves.toBe(1);
  await expect(edge.metric("freshness_stale_seconds")).resolves.toBe(0);
});

test("what the parent has now is served, and is here then", async () => {
  await edge.parent.put("apps/hello", [now], "v1");
  expect(told(await edge.get(manifest))).toEqual([200, "0", "new"]);
  await eventually(
    () =>
      edge.registry.content.open(repository("apps/hello")).find(tag("v1"))?.descriptor.digest ===
      now.descriptor.digest,
  );
});

test("a hundred that pull at once cost the parent one question", async () => {
  const gate = Promise.withResolvers<undefined>();
  edge.parent.fault = async () => {
    await gate.promise;
  };
  const pulls = Array.from({ length: 100 }, () => edge.get(manifest));
  await eventually(() => edge.registry.clock.sleeping === 100, "all that wait");
  gate.resolve(undefined);
  expect(new Set((await Promise.all(pulls)).map((answer) => told(answer).join()))).toEqual(
    new Set(["200,0,old"]),
  );
  expect(edge.parent.recent()).toEqual(["resolve apps/hello:v1"]);
});

test("within its age a tag is served without a question, and after it with one", async () => {
  edge.configure({ freshness: [{ check: "MaxAge", maxAgeSeconds: 60 }] });
  await edge.registry.clock.advance(seconds(59));
  expect(told(await edge.get(manifest))).toEqual([200, "59", "old"]);
  expect(edge.parent.recent()).toEqual([]);
  await edge.registry.clock.advance(seconds(1));
  expect(told(await edge.get(manifest))).toEqual([200, "0", "old"]);
  await edge.registry.clock.advance(seconds(59));
  expect(told(await edge.get(manifest))).toEqual([200, "59", "old"]);
  expect(edge.parent.recent()).toEqual(["resolve apps/hello:v1"]);
  await expect(edge.metric("freshness_pulls_total", { outcome: "fresh" })).resolves.toBe(2);
});

test.each([
  { freshness: [], because: "nobody wants it compared" },
  { freshness: [{ check: "Never" }], because: "it does not change" },
  { freshness: [{ check: "Always", tags: ["latest"] }], because: "the rule is about other tags" },
  { freshness: [{ check: "Always", repositories: ["base/**"] }], because: "or other repositories" },
  { freshness: [{ check: "Never", tags: ["v*"] }, { check: "Always" }], because: "the first rule counts" },
])("a pull asks nobody, and no age is told: $because", async ({ freshness }) => {
  edge.configure({ freshness });
  await edge.parent.put("apps/hello", [now], "v1");
  expect(told(await edge.get(manifest))).toEqual([200, undefined, "old"]);
  expect(edge.parent.recent()).toEqual([]);
});

test("a clock that is set makes nothing fresh, and nothing old (T58)", async () => {
  edge.configure({ freshness: [{ check: "MaxAge", maxAgeSeconds: 60 }] });
  edge.confirmations.note("apps/hello", "v1");
  for (const start of ["2001-01-01T00:00:00Z", "2038-01-01T00:00:00Z"]) {
    edge.registry.clock.set(start);
    expect(told(await edge.get(manifest))).toEqual([200, "0", "old"]);
  }
  expect(edge.parent.recent()).toEqual([]);
});

test("what a sync confirms counts", async () => {
  edge.configure({ freshness: [{ check: "MaxAge", maxAgeSeconds: 60 }] });
  await edge.registry.clock.advance(seconds(600));
  edge.confirmations.note("apps/hello", "v1");
  expect(told(await edge.get(manifest))).toEqual([200, "0", "old"]);
  expect(edge.parent.recent()).toEqual([]);
});
