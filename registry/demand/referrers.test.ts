import { image, item, type Item } from "../content/testing/images.ts";
import { UnreachableError } from "../remote/errors.ts";
import type { Answer } from "../http/testing/loopback.ts";
import { Edge } from "./testing/edge.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("a layer");
const app = image(config, [layer]);
const { digest } = app.descriptor;

function about(artifactType: string): Item {
  return image(config, [], { subject: app.descriptor, artifactType, annotations: { made: "today" } });
}

const signature = about("application/vnd.dev.cosign.sign.v1+json");
const sbom = about("application/spdx+json");
const attached = image(config, [layer], { annotations: { kind: "signature" } });
const attachedTag = `sha256-${digest.slice("sha256:".length)}.sig`;

let edge: Edge;

beforeEach(async () => {
  edge = await Edge.open();
  await edge.parent.put("apps/hello", [config, layer, app], "v1");
  await edge.parent.put("apps/hello", [signature]);
  await edge.parent.put("apps/hello", [sbom]);
  await edge.parent.put("apps/hello", [attached], attachedTag);
  edge.configure({ repositories: [{ name: "apps/*", tags: { include: ["v1"] } }] });
});

afterEach(async () => {
  await edge.close();
});

interface Listed {
  readonly digest: string;
  readonly artifactType?: string;
  readonly annotations?: object;
}

function listed({ status, body }: Answer): readonly Listed[] {
  if (status !== 200) throw new Error(`${status} ${body.toString()}`);
  return (JSON.parse(body.toString()) as { readonly manifests: readonly Listed[] }).manifests;
}

const list = async (query = ""): Promise<readonly Listed[]> =>
  listed(await edge.get(`apps/hello/referrers/${digest}${query}`));
const both = [signature, sbom].map(({ descriptor }) => descriptor.digest).sort();

test("what refers to an image that is on its way is listed, as the parent has it, and fetched when asked for", async () => {
  await edge.get("apps/hello/manifests/v1");
  const found = await list();
  expect(found.map((each) => each.digest)).toEqual(both);
  expect(found.find((each) => each.digest === sbom.descriptor.digest)).toMatchObject({
    artifactType: "application/spdx+json",
    annotations: { made: "today" },
  });
  for (const each of both)
    expect((await edge.pull("apps/hello", each)).map(({ status }) => status)).toEqual([200, 200]);
  for (const each of both) await edge.eventuallyHas("apps/hello", each);
  edge.parent.recent();
  await expect(list().then((again) => again.map((each) => each.digest))).resolves.toEqual(both);
  expect(edge.parent.recent()).toEqual([]);
});

test("those that came and those that did not are one list, by type and page by page", async () => {
  await edge.get("apps/hello/manifests/v1");
  await list();
  await edge.pull("apps/hello", both[1]!);
  await edge.eventuallyHas("apps/hello", both[1]!);
  const first = await edge.get(`apps/hello/referrers/${digest}?n=1`);
  expect(listed(first).map((each) => each.digest)).toEqual([both[0]]);
  const next = /<\/v2\/(.*)>/.exec(String(first.headers.link))?.[1] ?? "";
  const second = await edge.get(next);
  expect([listed(second).map((each) => each.digest), second.headers.link]).toEqual([[both[1]], undefined]);
  const typed = await list("?artifactType=application/spdx%2Bjson");
  expect(typed.map((each) => each.digest)).toEqual([sbom.descriptor.digest]);
});

test("what cosign attaches by a tag is fetched with an image that is here, and not without", async () => {
  expect((await edge.get(`apps/hello/manifests/${attachedTag}`)).status).toBe(404);
  await edge.pull("apps/hello", "v1");
  await edge.eventuallyHas("apps/hello", "v1");
  expect((await edge.get(`apps/hello/manifests/${attachedTag}`)).body).toEqual(attached.bytes);
  await edge.eventuallyHas("apps/hello", attachedTag);
});

test.each([
  { sync: { onDemand: { policy: "Never" } }, because: "nothing is fetched" },
  { sync: { repositories: [{ name: "apps/*", referrers: false }] }, because: "the rule wants none" },
  { sync: { repositories: [{ name: "base/*" }] }, because: "no rule is about the repository" },
])("nobody is asked where $because", async ({ sync }) => {
  edge.configure(sync);
  await expect(list()).resolves.toEqual([]);
  expect(edge.parent.recent()).toEqual([]);
});

test("only those are listed that a rule wants", async () => {
  edge.configure({ repositories: [{ name: "apps/*", referrerTypes: ["application/spdx*"] }] });
  await expect(list().then((found) => found.map((each) => each.digest))).resolves.toEqual([
    sbom.descriptor.digest,
  ]);
});

test("a parent that does not answer is not taken for one that has none, but for an image that is here", async () => {
  edge.parent.fault = () => {
    throw new UnreachableError("refused");
  };
  expect((await edge.get(`apps/hello/referrers/${digest}`)).status).toBe(503);
  edge.parent.fault = () => undefined;
  await edge.pull("apps/hello", "v1");
  await edge.eventuallyHas("apps/hello", "v1");
  edge.away = true;
  await expect(list()).resolves.toEqual([]);
});
