import { samples } from "../../crds/testing/samples.ts";
import { defaulted, schemas } from "../../crds/testing/structural.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { PersistentVolumeClaim } from "../api/kubernetes.ts";
import { expectOwnContent, ownerAnnotations } from "./volume-owner.ts";

const plain = defaulted(
  schemas.get("ConnectedRegistry")!,
  samples.find(({ kind }) => kind === "ConnectedRegistry"),
) as ConnectedRegistry;
const root = (): ConnectedRegistry["spec"] => {
  const spec = { ...plain.spec };
  delete (spec as { parent?: unknown }).parent;
  return spec;
};

function registry(
  uid: string,
  spec: ConnectedRegistry["spec"] = plain.spec,
  annotations: Readonly<Record<string, string>> = {},
): ConnectedRegistry {
  return { ...plain, metadata: { ...plain.metadata, uid, annotations }, spec };
}
const elsewhere = (loginServer: string): ConnectedRegistry["spec"] => ({
  ...plain.spec,
  parent: { registry: { ...plain.spec.parent!.registry!, loginServer } },
});
const below = (name: string, namespace?: string): ConnectedRegistry["spec"] => ({
  ...root(),
  parent: { connectedRegistryRef: { name, ...(namespace === undefined ? {} : { namespace }) } },
});

function claim(
  annotations: Readonly<Record<string, string>> | undefined,
  metadata: Partial<PersistentVolumeClaim["metadata"]> = {},
): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "contoso-edge-data", ...(annotations && { annotations }), ...metadata },
    spec: {},
  };
}
const of = (owner: ConnectedRegistry): PersistentVolumeClaim => claim(ownerAnnotations(owner));

describe("a volume is taken over", () => {
  it.each([
    { volume: of(registry("1")), by: registry("1"), because: "it is ours" },
    {
      volume: of(registry("1")),
      by: registry("1", elsewhere("b.example")),
      because: "our parent is another now",
    },
    { volume: of(registry("1")), by: registry("2"), because: "the parent is the same" },
    { volume: of(registry("1", root())), by: registry("2", root()), because: "neither has a parent" },
    {
      volume: of(registry("1", below("hall"))),
      by: registry("2", below("hall", "edge")),
      because: "its namespace is the one meant where none is said",
    },
    { volume: claim(undefined), by: registry("2"), because: "an operator before this one said nothing" },
    {
      volume: of(registry("1")),
      by: registry("2", elsewhere("b.example"), { "connectedregistry.io/take-over-volume": "1" }),
      because: "somebody wants it so",
    },
    {
      volume: {
        ...of(registry("1")),
        metadata: { ...of(registry("1")).metadata, deletionTimestamp: "2026-11-21T08:00:00Z" },
      },
      by: registry("2", elsewhere("b.example")),
      because: "it is about to go, and waited for",
    },
  ])("as $because", ({ volume, by }) => {
    expect(() => {
      expectOwnContent(by, volume);
    }).not.toThrow();
  });

  it.each([
    {
      volume: of(registry("1")),
      by: registry("2", elsewhere("b.example")),
      says: "with the parent https://registry.contoso.example:5000 (uid 1).",
    },
    { volume: of(registry("1")), by: registry("2", root()), says: "with the parent https://" },
    { volume: of(registry("1", root())), by: registry("2"), says: "with no parent (uid 1)." },
    {
      volume: of(registry("1", below("hall"))),
      by: registry("2", below("hall", "other")),
      says: "with the parent edge/hall",
    },
    {
      volume: of(registry("1")),
      by: registry("2", elsewhere("b.example"), { "connectedregistry.io/take-over-volume": "3" }),
      says: "(uid 1).",
    },
    {
      volume: claim({ "connectedregistry.io/registry": "{" }),
      by: registry("2"),
      says: "that cannot be told",
    },
    {
      volume: claim({ "connectedregistry.io/registry": '{"uid":"1","parent":"<b>x</b>\\n"}' }),
      by: registry("2"),
      says: "with the parent bx/b (uid 1).",
    },
  ])("not: it is of one $says", ({ volume, by, says }) => {
    expect(() => {
      expectOwnContent(by, volume);
    }).toThrow(says);
  });
});
