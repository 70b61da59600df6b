import { messageOf } from "../../common/errors.ts";
import { exposureMistakes } from "./testing/mistakes/exposure.ts";
import { play, type Mistake } from "./testing/mistakes/mistake.ts";
import { parentMistakes } from "./testing/mistakes/parent.ts";
import { podMistakes } from "./testing/mistakes/pod.ts";
import { policyMistakes } from "./testing/mistakes/policy.ts";
import { Scene } from "./testing/mistakes/scene.ts";
import { serviceMistakes } from "./testing/mistakes/service.ts";
import { tokenMistakes } from "./testing/mistakes/tokens.ts";
import { volumeMistakes } from "./testing/mistakes/volume.ts";
import { wordMistakes } from "./testing/mistakes/word.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

const mistakes: readonly Mistake[] = [
  ...parentMistakes,
  ...policyMistakes,
  ...tokenMistakes,
  ...volumeMistakes,
  ...serviceMistakes,
  ...podMistakes,
  ...exposureMistakes,
  ...wordMistakes,
];

/** Side by side, each in a namespace of its own: some take their time to be mended. */
const together = 3;

let operator: RealOperator;
/** What came of each, once it was played. */
let outcomes: readonly Promise<unknown>[] = [];

beforeAll(async () => {
  operator = await startRealOperator();
  const lanes: Promise<unknown>[] = Array.from({ length: together }, () => Promise.resolve());
  outcomes = mistakes.map((mistake, index) => {
    const lane = index % together;
    const played = (lanes[lane] ?? Promise.resolve()).then(() =>
      play(mistake, new Scene(operator, `mistake-${index}`)).then(() => "told and mended", messageOf),
    );
    lanes[lane] = played;
    return played;
  });
}, 120_000);

// Rejects if a status on the way was not sound.
afterAll(() => operator.stop());

describe("a mistake is told within five seconds, once, with the next step, and forgotten when it is mended:", () => {
  it.each(mistakes.map(({ mistake }, index) => ({ mistake, index })))(
    "$mistake",
    async ({ index }) => {
      await expect(outcomes[index]).resolves.toBe("told and mended");
    },
    400_000,
  );
});

describe("a mistake that the API server finds is told by it, with the next step:", () => {
  const parent = { registry: { loginServer: "registry.contoso.example:5000" } };
  it.each([
    {
      mistake: "the old word for ReadWrite",
      kind: "ConnectedRegistry",
      spec: { mode: "Registry" },
      says: "use ReadWrite",
    },
    {
      mistake: "the old word for ReadOnly",
      kind: "ConnectedRegistry",
      spec: { mode: "Mirror" },
      says: "use ReadOnly",
    },
    {
      mistake: "an address as a login server",
      kind: "ConnectedRegistry",
      spec: { parent: { registry: { loginServer: "https://contoso.example/v2" } } },
      says: "give host or host:port alone",
    },
    {
      mistake: "two authorities",
      kind: "ConnectedRegistry",
      spec: {
        parent: {
          registry: {
            ...parent.registry,
            caBundle: "-----BEGIN CERTIFICATE-----",
            caBundleRef: { name: "a" },
          },
        },
      },
      says: "set caBundle or caBundleRef, not both",
    },
    {
      mistake: "a size that is none",
      kind: "ConnectedRegistry",
      spec: { storage: { size: "plenty" } },
      says: "give a size above zero, such as 20Gi",
    },
    {
      mistake: "a size of nothing",
      kind: "ConnectedRegistry",
      spec: { storage: { size: "0" } },
      says: "give a size above zero, such as 20Gi",
    },
    {
      mistake: "an address of a Service that is none",
      kind: "ConnectedRegistry",
      spec: { service: { clusterIP: "10.96.0" } },
      says: "give an IP address from the cluster's service range",
    },
    {
      mistake: "a quantity that is none",
      kind: "ConnectedRegistry",
      spec: { resources: { limits: { memory: "much" } } },
      says: "give a quantity, such as 100m or 256Mi",
    },
    {
      mistake: "a password in the proxy's address",
      kind: "ConnectedRegistry",
      spec: { parent: { registry: { ...parent.registry, proxy: { url: "http://a:b@proxy.example" } } } },
      says: "a login belongs into credentialsSecretRef",
    },
    {
      mistake: "an action that there is not",
      kind: "ScopeMap",
      spec: { actions: ["repositories/*/content/push"] },
      says: "actions",
    },
    {
      mistake: "an expression that cannot be read",
      kind: "SyncPolicy",
      spec: { repositories: [{ name: "apps/*", tags: { expression: "v(" } }] },
      says: "give a regular expression in RE2's syntax",
    },
    {
      mistake: "a window without a schedule",
      kind: "SyncPolicy",
      spec: { repositories: [{ name: "apps/*" }], window: "PT1H" },
      says: "schedule",
    },
  ])("$mistake", async ({ kind, spec, says }) => {
    const scene = new Scene(operator, "refused");
    await operator.namespace("refused");
    const refused = await scene.sample(kind, spec).then(() => "taken", messageOf);
    expect(refused).toContain(says);
  });
});
