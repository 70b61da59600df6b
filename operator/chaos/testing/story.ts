import { Duration } from "luxon";
import { ConnectedRegistryKind } from "../../api/connectedregistry.gen.ts";
import { SecretKind } from "../../api/kubernetes.ts";
import { SyncPolicyKind } from "../../api/syncpolicy.gen.ts";
import { edge, type Rig } from "../../controllers/testing/rig.ts";
import { samples } from "../../../crds/testing/samples.ts";

/** What people and pods do to one registry, in its life. Between two of these the operator comes to rest. */
export const story: readonly { readonly name: string; readonly act: (rig: Rig) => Promise<void> }[] = [
  {
    name: "everything is applied",
    act: async (rig) => {
      for (const sample of samples) rig.user(sample);
    },
  },
  { name: "the pod starts", act: (rig) => rig.startPod("pod-1") },
  {
    name: "it is suspended, with more memory",
    act: (rig) => rig.editRegistry(() => ({ suspend: true, resources: { limits: { memory: "1Gi" } } })),
  },
  { name: "it goes on", act: (rig) => rig.editRegistry(() => ({ suspend: false })) },
  {
    name: "the policy goes",
    act: (rig) => rig.cluster.delete(SyncPolicyKind, { ...edge, name: "contoso" }),
  },
  {
    name: "the policy comes again",
    act: async (rig) => {
      for (const sample of samples.filter(({ kind }) => kind === "SyncPolicy")) rig.user(sample);
    },
  },
  {
    name: "the parent's password changes",
    act: async (rig) => {
      rig.putSecret("contoso-parent", { username: "edge", password: "another-password" });
    },
  },
  { name: "the token is disabled", act: (rig) => rig.editToken({ status: "disabled" }) },
  { name: "the token is enabled", act: (rig) => rig.editToken({ status: "enabled" }) },
  {
    name: "nobody may log in",
    act: (rig) => rig.editRegistry(() => ({ clientTokenRefs: [] })),
  },
  {
    name: "the token may log in again",
    act: (rig) => rig.editRegistry(() => ({ clientTokenRefs: [{ name: "edge-puller" }] })),
  },
  {
    name: "somebody deletes the certificate",
    act: (rig) => rig.cluster.delete(SecretKind, { ...edge, name: `${edge.name}-tls` }),
  },
  { name: "the pod is gone for a while", act: (rig) => rig.stopPod("pod-1") },
  {
    name: "another pod starts a minute later",
    act: async (rig) => {
      await rig.skip(Duration.fromObject({ minutes: 1 }));
      await rig.startPod("pod-2");
    },
  },
];

/** The end of it: nothing but what users brought may be left. */
export const deletion = (rig: Rig): Promise<void> => rig.cluster.delete(ConnectedRegistryKind, edge);
