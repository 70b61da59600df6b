import type { DateTime } from "luxon";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { loginServerOf, servicePortOf, withPort } from "../resources/names.ts";
import { timestamp } from "../status/conditions.ts";
import type { Outcome } from "../status/summarize.ts";
import { keyOf, keyText } from "../runtime/kube.ts";
import type { Kin } from "./registry-settings.ts";
import type { Encryption } from "./registry-tls.ts";
import type { Progress } from "./registry-steps.ts";

type Status = NonNullable<ConnectedRegistry["status"]>;

/** The fields of the status that are the operator's, beside the conditions. */
type OperatorFields = {
  readonly [
    K in
      | "activation"
      | "parent"
      | "syncToken"
      | "children"
      | "loginServer"
      | "schedule"
      | "window"
      | "lastResyncRequest"
      | "connectionState"
  ]?: Status[K] | undefined;
};

/** What a reconcile has to say in the status. */
export function registryStatus(
  registry: ConnectedRegistry,
  progress: Progress,
  now: DateTime<true>,
): { readonly outcome: Outcome; readonly fields: OperatorFields } {
  const { findings, settings, observation, encryption, error } = progress;
  const addresses = externalAddresses(registry, progress);
  const { status } = registry;
  // A reconcile that broke off may not have come as far as the settings.
  const known = settings !== undefined || error === undefined;
  const sync = settings?.sync;
  // A reconcile that broke off knows nothing of the pod.
  const silent = observation?.silent ?? error === undefined;
  return {
    outcome: { findings, ready: ready(registry), ...(error === undefined ? {} : { error }) },
    fields: {
      activation: activationOf(status, observation?.instance, now),
      ...kinFields(registry, progress.kin),
      loginServer: {
        host: loginServerOf(registry),
        tls: { status: tlsOf(encryption) ?? status?.loginServer?.tls.status ?? "Disabled" },
        ...(addresses.length === 0 ? {} : { addresses }),
      },
      schedule: known ? sync?.schedule : status?.schedule,
      window: known ? sync?.window : status?.window,
      lastResyncRequest: known ? sync?.resyncRequest : status?.lastResyncRequest,
      // Otherwise the word is the registry's: leaving it out leaves it to the pod. Offline may be ours: we keep it until
      // the pod says another, since a field that its only owner leaves out is gone.
      ...(silent || status?.connectionState === "Offline" ? { connectionState: "Offline" as const } : {}),
    },
  };
}

/** What is not known now stays as it was: a parent with a fault is in force as it last had none. */
function kinFields(
  { metadata, spec, status }: ConnectedRegistry,
  kin: Kin | undefined,
): Pick<OperatorFields, "parent" | "syncToken" | "children"> {
  const { parent, children } = kin ?? {};
  const before = spec.parent === undefined ? {} : { parent: status?.parent, syncToken: status?.syncToken };
  const names = children?.map((child) =>
    child.metadata.namespace === metadata.namespace ? child.metadata.name : keyText(keyOf(child)),
  );
  return {
    parent: parent === undefined ? before.parent : parent.parent,
    syncToken: parent === undefined ? before.syncToken : parent.syncToken,
    children:
      names === undefined
        ? status?.children
        : names.length === 0
          ? undefined
          : { count: names.length, names: names.slice(0, shownChildren) },
  };
}

const shownChildren = 20;

function tlsOf(encryption: Encryption | undefined): "Enabled" | "Disabled" | undefined {
  if (encryption === undefined) return undefined;
  return encryption.kind === "certificate" ? "Enabled" : "Disabled";
}

function ready({ spec }: ConnectedRegistry): Outcome["ready"] {
  return spec.suspend
    ? { reason: "Suspended", message: "The registry serves what it has and does not sync." }
    : { reason: "Ready", message: "The registry is as its spec wants it." };
}

/** A reconcile that did not come as far as the Service has nothing new to say of its addresses. */
function externalAddresses(
  registry: ConnectedRegistry,
  { addresses }: Progress,
): NonNullable<NonNullable<Status["loginServer"]>["addresses"]> {
  if (addresses === undefined) return registry.status?.loginServer?.addresses ?? [];
  return addresses.external.map((host) => withPort(host, servicePortOf(registry)));
}

/** An instance stays the active one while it is silent. */
function activationOf(
  status: Status | undefined,
  instance: string | undefined,
  now: DateTime<true>,
): Status["activation"] {
  const before = status?.activation;
  if (instance === undefined || instance === "") return before ?? { status: "Inactive" };
  if (before?.status === "Active" && before.instance === instance) return before;
  return { status: "Active", instance, since: timestamp(now) };
}
