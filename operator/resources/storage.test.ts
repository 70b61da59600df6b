import { samples } from "../../crds/testing/samples.ts";
import { defaulted, schemas } from "../../crds/testing/structural.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { PersistentVolumeClaim } from "../api/kubernetes.ts";
import { claimOf, desiredClaim, isGrowing, needsGrowth } from "./storage.ts";

type Storage = ConnectedRegistry["spec"]["storage"];

const plain = defaulted(
  schemas.get("ConnectedRegistry")!,
  samples.find(({ kind }) => kind === "ConnectedRegistry"),
) as ConnectedRegistry;

function registry(storage: Storage): ConnectedRegistry {
  return {
    ...plain,
    metadata: { ...plain.metadata, uid: "11111111-2222-3333-4444-555555555555" },
    spec: { ...plain.spec, storage },
  };
}

function claim(
  request: string,
  status: PersistentVolumeClaim["status"] = { phase: "Bound", capacity: { storage: request } },
  spec: Partial<PersistentVolumeClaim["spec"]> = {},
): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "contoso-edge-data", namespace: "edge" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: request } }, ...spec },
    status,
  };
}

describe("the claim of a registry", () => {
  it("has a name of its own, unless somebody made it", () => {
    expect(claimOf(registry({ size: "20Gi" }))).toBe("contoso-edge-data");
    expect(claimOf(registry({ size: "20Gi", existingClaim: "of-mine" }))).toBe("of-mine");
  });

  it.each([
    { live: undefined, canGrow: false, asks: "20Gi", because: "nothing is there" },
    { live: claim("10Gi"), canGrow: true, asks: "20Gi", because: "it is to grow" },
    { live: claim("10Gi"), canGrow: false, asks: "10Gi", because: "its storage class lets nothing grow" },
    { live: claim("50Gi"), canGrow: true, asks: "50Gi", because: "a volume never shrinks" },
    {
      live: claim("10Gi", { phase: "Pending" }),
      canGrow: true,
      asks: "10Gi",
      because: "the API server takes no growth of what is not bound",
    },
    {
      live: claim("10Gi", { phase: "Bound", capacity: { storage: "100Gi" } }),
      canGrow: true,
      asks: "10Gi",
      because: "the volume that was found for it is larger already",
    },
    { live: claim("20480Mi"), canGrow: true, asks: "20480Mi", because: "it is so in other words" },
  ])("asks for $asks: $because", ({ live, canGrow, asks }) => {
    expect(desiredClaim(registry({ size: "20Gi" }), live, canGrow).spec.resources).toEqual({
      requests: { storage: asks },
    });
  });

  it.each([
    { accessMode: undefined, modes: ["ReadWriteOnce"] },
    { accessMode: "ReadWriteOncePod", modes: ["ReadWriteOncePod"] },
    { accessMode: "ReadWriteMany", modes: ["ReadWriteMany"] },
  ] as const)("is made with the access mode $modes", ({ accessMode, modes }) => {
    const storage = { size: "20Gi", ...(accessMode === undefined ? {} : { accessMode }) };
    expect(desiredClaim(registry(storage), undefined, false).spec.accessModes).toEqual(modes);
  });

  it("keeps the storage class that it was made with: the cluster's default may be another by now", () => {
    const live = claim("20Gi", { phase: "Bound" }, { storageClassName: "slow" });
    expect(desiredClaim(registry({ size: "20Gi" }), live, false).spec.storageClassName).toBe("slow");
  });

  it.each([
    {
      storage: { size: "20Gi", storageClassName: "fast" },
      says: 'was made with the storage class "slow", not with "fast".',
    },
    {
      storage: { size: "20Gi", accessMode: "ReadWriteOncePod" as const },
      says: "was made with the access mode ReadWriteOnce, not with ReadWriteOncePod.",
    },
  ])("is not what was left behind if that $says", ({ storage, says }) => {
    const live = claim("20Gi", { phase: "Bound" }, { storageClassName: "slow" });
    expect(() => desiredClaim(registry(storage), live, true)).toThrow(says);
  });
});

describe("the growth of a volume", () => {
  it.each([
    { live: claim("10Gi"), needed: true, growing: false, because: "nobody has asked for it" },
    {
      live: claim("20Gi", { phase: "Bound", capacity: { storage: "10Gi" } }),
      needed: false,
      growing: true,
      because: "it was asked for",
    },
    { live: claim("20Gi"), needed: false, growing: false, because: "it is over" },
    { live: claim("10Gi", { phase: "Bound" }), needed: true, growing: false, because: "its size is unknown" },
    {
      live: claim("10Gi", { phase: "Pending" }),
      needed: false,
      growing: false,
      because: "there is no volume",
    },
  ])("is needed: $needed, goes on: $growing, as $because", ({ live, needed, growing }) => {
    expect(needsGrowth(registry({ size: "20Gi" }), live)).toBe(needed);
    expect(isGrowing(live)).toBe(growing);
  });
});
