import { defaulted, schemas } from "../../crds/testing/structural.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import type { Namespace } from "../api/kubernetes.ts";
import { desiredPublished, destinationsOf } from "./published.ts";

const token = (namespaces?: readonly string[], secretName?: string): ClientToken =>
  defaulted(schemas.get("ClientToken")!, {
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ClientToken",
    metadata: { name: "edge-puller", namespace: "edge", uid: "1111" },
    spec: namespaces === undefined ? {} : { publish: { namespaces, ...(secretName && { secretName }) } },
  }) as ClientToken;

function namespace(name: string, accepts: string | undefined, from?: string): Namespace {
  const label = { "connectedregistry.io/accept-pull-secrets": accepts ?? "" };
  const annotation = { "connectedregistry.io/accept-pull-secrets-from": from ?? "" };
  const metadata = {
    name,
    ...(accepts === undefined ? {} : { labels: label }),
    ...(from === undefined ? {} : { annotations: annotation }),
  };
  return { apiVersion: "v1", kind: "Namespace", metadata };
}

const plant = namespace("plant", "true");
const hall = namespace("hall", "true", "other, edge");
const shop = namespace("shop", "true", "other");
const silent = namespace("silent", undefined);
const no = namespace("no", "false");
const own = namespace("edge", "true");
const going: Namespace = {
  ...namespace("going", "true"),
  metadata: { ...namespace("going", "true").metadata, deletionTimestamp: "2026-11-21T08:00:00Z" },
};
const all = [plant, hall, shop, silent, no, own, going];

test.each<{
  wanted: readonly string[] | undefined;
  accepted: readonly string[];
  refused: readonly string[];
  because: string;
}>([
  { wanted: undefined, accepted: [], refused: [], because: "nothing is to be published" },
  { wanted: ["plant"], accepted: ["plant"], refused: [], because: "it takes from everybody" },
  { wanted: ["hall"], accepted: ["hall"], refused: [], because: "it takes from here, among others" },
  { wanted: ["shop"], accepted: [], refused: ["shop"], because: "it takes from others only" },
  {
    wanted: ["silent", "no", "missing"],
    accepted: [],
    refused: ["missing", "no", "silent"],
    because: "S46 none of them agreed",
  },
  { wanted: ["*"], accepted: ["hall", "plant"], refused: [], because: "all that agree are meant" },
  {
    wanted: ["*", "no"],
    accepted: ["hall", "plant"],
    refused: ["no"],
    because: "one is meant in particular",
  },
  { wanted: ["edge"], accepted: [], refused: [], because: "at home it is there already" },
  { wanted: ["going"], accepted: [], refused: ["going"], because: "nothing can be made in what goes" },
])("a pull secret for $wanted goes to $accepted: $because", ({ wanted, accepted, refused }) => {
  expect(destinationsOf(token(wanted), all)).toEqual({ accepted, refused });
});

test("S43 what is published is the pull secret alone", () => {
  const credentials = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "edge-puller-credentials", namespace: "edge" },
    data: { ".dockerconfigjson": "e30=", password1: "b25l", password2: "dHdv" },
  } as const;
  const { data, metadata, type } = desiredPublished(token(["plant"], "pull"), "plant", credentials);
  expect({ data, type }).toEqual({
    data: { ".dockerconfigjson": "e30=" },
    type: "kubernetes.io/dockerconfigjson",
  });
  expect([metadata.namespace, metadata.name, metadata.ownerReferences]).toEqual(["plant", "pull", undefined]);
});
