import { Duration } from "luxon";
import { parseSettings } from "../../common/contract/config.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { NamespaceKind } from "../api/kubernetes.ts";
import { drainOf, giveUpAnnotation, holdFinalizer } from "../resources/deletion.ts";
import type { KubeObject } from "../runtime/kube.ts";
import { edge, Rig } from "./testing/rig.ts";

type Up = NonNullable<NonNullable<ConnectedRegistry["status"]>["up"]>;

const seconds = (n: number): Duration => Duration.fromObject({ seconds: n });
const online = { connectionState: "Online", version: "0.1.0", statusDetails: [] } as const;
const up = (pending: number, setAside = 0): { readonly up: Up } => ({
  up: { pending, setAside, bytes: 7, setAsideItems: [], conflicts: 0, conflictItems: [] },
});

async function readWrite(): Promise<Rig> {
  const rig = await Rig.running();
  await rig.editRegistry(() => ({ mode: "ReadWrite" }));
  await rig.deploymentStatus(1);
  await rig.settle();
  return rig;
}

async function deleted(rig: Rig): Promise<void> {
  await rig.cluster.delete(ConnectedRegistryKind, edge);
  await rig.settle();
}

const finalizers = async (rig: Rig): Promise<readonly string[]> =>
  (await rig.registry()).metadata.finalizers ?? [];
const isGone = async (rig: Rig): Promise<boolean> =>
  (await rig.cluster.get(ConnectedRegistryKind, edge)) === undefined;
const drainIn = async (rig: Rig): Promise<string | undefined> =>
  parseSettings(await rig.json("contoso-edge-config", "settings.json")).drain;

/** As somebody else does, such as a garbage collector or GitOps. */
async function setMetadata(rig: Rig, change: Partial<ConnectedRegistry["metadata"]>): Promise<void> {
  const registry = await rig.registry();
  rig.cluster.put(ConnectedRegistryKind, { ...registry, metadata: { ...registry.metadata, ...change } });
  await rig.settle();
}

describe("a registry is held back from its deletion", () => {
  it("only while it may have something that its parent does not have", async () => {
    const rig = await Rig.running();
    expect(await finalizers(rig)).toEqual([]);
    await rig.editRegistry(() => ({ mode: "ReadWrite" }));
    expect(await finalizers(rig)).toEqual([holdFinalizer]);
    await rig.say({ ...online, ...up(1) });
    await rig.editRegistry(() => ({ mode: "ReadOnly" }));
    expect(await finalizers(rig)).toEqual([holdFinalizer]);
    await rig.say(online);
    expect(await finalizers(rig)).toEqual([]);
    await rig.editRegistry(() => ({ mode: "ReadWrite", parent: undefined, syncPolicyRef: undefined }));
    expect(await finalizers(rig)).toEqual([]);
    expect(rig.failures).toEqual([]);
  });

  it("again if somebody takes the finalizer away, and beside those of others", async () => {
    const rig = await readWrite();
    await setMetadata(rig, { finalizers: ["example.com/theirs"] });
    expect(await finalizers(rig)).toEqual(["example.com/theirs", holdFinalizer]);
    await rig.editRegistry(() => ({ mode: "ReadOnly" }));
    expect(await finalizers(rig)).toEqual(["example.com/theirs"]);
  });

  it("until the registry says that its parent has all, and goes on serving meanwhile", async () => {
    const rig = await readWrite();
    await rig.say({ ...online, ...up(2) });
    expect(await drainIn(rig)).toBeUndefined();
    await deleted(rig);
    const registry = await rig.registry();
    expect(await drainIn(rig)).toBe(drainOf(registry, []));
    expect(await rig.condition("Ready")).toEqual({
      type: "Ready",
      status: "False",
      reason: "UnsentChanges",
      message:
        "Clients pushed changes that the parent does not have yet: .status.up counts them. " +
        "Wait until they are up, or give them up: " +
        "kubectl annotate creg --namespace edge contoso-edge connectedregistry.io/give-up-changes=yes.",
      lastTransitionTime: "2026-11-21T08:00:00Z",
      observedGeneration: registry.metadata.generation,
    });
    expect(await rig.condition("Reconciling")).toMatchObject({ status: "True" });
    expect(await rig.condition("Available")).toMatchObject({ status: "True" });
    expect(await rig.condition("NodeTrust")).toMatchObject({ status: "True" });
    const writes = rig.cluster.writes.length;
    await rig.say({ ...online, ...up(1) });
    await rig.skip(seconds(10));
    expect(rig.cluster.writes.slice(writes).filter((call) => !call.includes("leases"))).toEqual([
      "applyStatus connectedregistry.io/v1alpha1/connectedregistries edge/contoso-edge",
    ]);
    await rig.say({ ...online, drained: "2026-11-20T08:00:00Z/another" });
    expect(await isGone(rig)).toBe(false);
    await rig.say({ ...online, drained: drainOf(registry, [])! });
    expect(await isGone(rig)).toBe(true);
    expect(rig.failures).toEqual([]);
  });

  it("also while nothing is heard of it, and warns once when that takes long", async () => {
    const rig = await readWrite();
    await deleted(rig);
    expect((await rig.condition("Ready"))?.message).toContain("has not said yet");
    const warnings = (): number =>
      rig.happenings.filter(({ type, reason }) => type === "Warning" && reason === "UnsentChanges").length;
    for (let minute = 0; minute < 9; minute++) {
      await rig.beat("pod-1");
      await rig.skip(seconds(60));
    }
    expect(warnings()).toBe(0);
    for (let minute = 0; minute < 9; minute++) await rig.skip(seconds(60));
    expect(warnings()).toBe(1);
    expect(await isGone(rig)).toBe(false);
  });

  it("and needs a person when the parent refuses what is left", async () => {
    const rig = await readWrite();
    await rig.say({ ...online, ...up(0, 3) });
    await deleted(rig);
    expect(await rig.condition("Stalled")).toMatchObject({ status: "True", reason: "UnsentChanges" });
    expect((await rig.condition("Ready"))?.message).toMatch(/^The parent refuses changes of clients/);
    await rig.say({ ...online, ...up(1, 2) });
    expect(await rig.condition("Reconciling")).toMatchObject({ status: "True", reason: "UnsentChanges" });
  });

  it.each([
    { when: "before", because: "who deletes it knows" },
    { when: "after", because: "it takes too long" },
  ])("not when a person gives its changes up, $when it was deleted: $because", async ({ when }) => {
    const rig = await readWrite();
    await rig.say({ ...online, ...up(2) });
    if (when === "after") await deleted(rig);
    await setMetadata(rig, { annotations: { [giveUpAnnotation]: "no" } });
    await rig.settle();
    const held = !(await isGone(rig));
    await setMetadata(rig, { annotations: { [giveUpAnnotation]: "yes" } });
    if (when === "before") await deleted(rig);
    expect([held, await isGone(rig)]).toEqual([true, true]);
  });

  it("not in a namespace that goes, which no watch tells", async () => {
    const rig = await readWrite();
    await rig.say({ ...online, ...up(2) });
    await deleted(rig);
    const deletionTimestamp = "2026-11-21T08:00:00Z";
    rig.cluster.put(NamespaceKind, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "edge", deletionTimestamp, finalizers: ["kubernetes"] },
    });
    await rig.advance(seconds(11));
    expect(await isGone(rig)).toBe(true);
  });

  it("not when Kubernetes deletes its parts first, and says what that costs", async () => {
    const rig = await readWrite();
    await rig.say({ ...online, ...up(2) });
    await setMetadata(rig, { finalizers: [holdFinalizer, "foregroundDeletion"] });
    await deleted(rig);
    expect(await finalizers(rig)).toEqual(["foregroundDeletion"]);
    expect(rig.happenings).toContainEqual(
      expect.objectContaining({ type: "Warning", reason: "DeletedWithUnsentChanges" }),
    );
  });

  it("not when it never ran", async () => {
    const rig = await Rig.withSamples();
    rig.bindsClaims = false;
    await rig.editRegistry(() => ({ mode: "ReadWrite" }));
    expect(await finalizers(rig)).toEqual([holdFinalizer]);
    await deleted(rig);
    expect(await isGone(rig)).toBe(true);
  });

  it("while others have it as their parent, whose changes it takes, and then only for its own", async () => {
    const rig = await readWrite();
    const child = { namespace: "edge", name: "contoso-line" };
    const spec = { mode: "ReadWrite", parent: { connectedRegistryRef: { name: edge.name } } };
    const { apiVersion, kind } = ConnectedRegistryKind;
    rig.user({ apiVersion, kind, metadata: child, spec } as KubeObject);
    await rig.settle();
    await setMetadata(rig, { annotations: { [giveUpAnnotation]: "yes" } });
    await deleted(rig);
    expect(await rig.condition("Stalled")).toMatchObject({
      status: "True",
      reason: "HasChildren",
      message: "It is the parent of contoso-line. Delete its children, or give them another parent.",
    });
    expect(await drainIn(rig)).toBeUndefined();
    await setMetadata(rig, { annotations: {} });
    await rig.cluster.delete(ConnectedRegistryKind, child);
    await rig.settle();
    // Though its parent is being deleted, too.
    const settings = await rig.json("contoso-line-config", "settings.json");
    const { drain } = parseSettings(settings);
    expect(drain).toMatch(/^2026-11-21T08:00:00Z\//);
    await rig.pod.applyStatus(ConnectedRegistryKind, child, { ...online, drained: drain! });
    await rig.settle();
    expect(await rig.cluster.get(ConnectedRegistryKind, child)).toBeUndefined();
    const registry = await rig.registry();
    expect(await rig.condition("Ready")).toMatchObject({ reason: "UnsentChanges" });
    expect(await drainIn(rig)).toBe(drainOf(registry, []));
    await rig.say({ ...online, drained: drainOf(registry, [])! });
    expect(await isGone(rig)).toBe(true);
  });

  it("not for somebody who is not let in, nor for children that have another parent by now", async () => {
    const rig = await Rig.running();
    const { apiVersion, kind } = ConnectedRegistryKind;
    const stranger = { namespace: "elsewhere", name: "contoso-line" };
    const parent = { connectedRegistryRef: { ...edge } };
    rig.user({ apiVersion, kind, metadata: stranger, spec: { parent } } as KubeObject);
    const child = { namespace: "edge", name: "contoso-cell" };
    rig.user({ apiVersion, kind, metadata: child, spec: { parent } } as KubeObject);
    await rig.settle();
    expect(await finalizers(rig)).toEqual([holdFinalizer]);
    await deleted(rig);
    expect(await rig.condition("Ready")).toMatchObject({ reason: "HasChildren" });
    const found = await rig.get(ConnectedRegistryKind, child.name);
    rig.user({
      ...found,
      spec: { ...found.spec, parent: { registry: { loginServer: "one.example" } } },
    } as KubeObject);
    await rig.settle();
    expect(await isGone(rig)).toBe(true);
  });
});
