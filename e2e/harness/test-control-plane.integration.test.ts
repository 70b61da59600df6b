import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { kubeApi } from "../cluster/kube-api.ts";
import { startTestControlPlane } from "./test-control-plane.ts";

test("a test gets a real API server of its own, and leaves nothing behind", async () => {
  const plane = await startTestControlPlane();
  try {
    const api = kubeApi(plane.access);
    await api.apply("/api/v1/namespaces/edge", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "edge" },
    });
    const namespace = JSON.parse(await api.get("/api/v1/namespaces/edge")) as { status: { phase: string } };
    expect(namespace.status.phase).toBe("Active");
    await expect(api.get("/api/v1/namespaces/nowhere")).rejects.toMatchObject({ status: 404 });
  } finally {
    await plane.stop();
  }
  expect(existsSync(dirname(plane.kubeconfig))).toBe(false);
});
