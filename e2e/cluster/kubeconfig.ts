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

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
