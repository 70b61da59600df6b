import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubeconfigOf, readKubeconfig } from "./kubeconfig.ts";

test("what was written is read back", async () => {
  const access = {
    server: "https://10.213.0.1:6443",
    caPem: "ca\n",
    client: { certPem: "cert\n", keyPem: "key\n" },
  };
  const folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  try {
    await writeFile(join(folder, "kubeconfig"), kubeconfigOf(access, "e2e"));
    expect(await readKubeconfig(join(folder, "kubeconfig"))).toEqual(access);
  } finally {
    await rm(folder, { recursive: true });
  }
});
