import { readFile } from "node:fs/promises";
import type { Identity } from "./pki.ts";

/** Where an API server is, whom it is trusted by, and as whom it is spoken to. */
export interface ApiAccess {
  /** Such as `https://10.213.0.1:6443`. */
  readonly server: string;
  readonly caPem: string;
  readonly client: Identity;
}

/** A kubeconfig that needs no other file. JSON, which every reader of YAML reads. */
export function kubeconfigOf({ server, caPem, client }: ApiAccess, name: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, "certificate-authority-data": base64(caPem) } }],
    users: [
      {
        name,
        user: {
          "client-certificate-data": base64(client.certPem),
          "client-key-data": base64(client.keyPem),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The way into the cluster that `kubeconfigOf` wrote down in `file`. */
export async function readKubeconfig(file: string): Promise<ApiAccess> {
  const config = JSON.parse(await readFile(file, "utf8")) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
  };
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  return {
    server: cluster.server ?? "",
    caPem: text(cluster["certificate-authority-data"]),
    client: { certPem: text(user["client-certificate-data"]), keyPem: text(user["client-key-data"]) },
  };
}

function text(encoded = ""): string {
  return Buffer.from(encoded, "base64").toString();
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
