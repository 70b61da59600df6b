import { createMetrics } from "./metrics.ts";
import { Probes } from "./probes.ts";
import type { Service } from "./service.ts";

async function withProbes(
  ready: boolean,
  look: (get: (path: string) => Promise<Response>, stopping: AbortController) => Promise<void>,
): Promise<void> {
  const store: Service = { name: "store", ready: () => ready, run: () => Promise.resolve() };
  const documents = [
    { path: "/status", read: () => ({ connectionState: "Online" }) },
    { path: "/status/pages", read: async (query: URLSearchParams) => ({ offset: query.get("offset") }) },
    { path: "/status/broken", read: () => Promise.reject(new Error("a secret path")) },
  ];
  const stopping = new AbortController();
  const probes = new Probes(
    { host: "127.0.0.1", port: 0 },
    [store],
    createMetrics(),
    stopping.signal,
    documents,
  );
  const stop = new AbortController();
  const running = probes.run(stop.signal);
  if (!probes.server.listening) await new Promise((resolve) => probes.server.once("listening", resolve));
  try {
    await look((path) => fetch(`http://127.0.0.1:${probes.port()}${path}`), stopping);
  } finally {
    stop.abort();
    await running;
  }
}

describe("Probes", () => {
  test.each([
    { path: "/livez", status: 200, body: "ok", because: "the event loop turns" },
    { path: "/readyz", status: 200, body: "ok", because: "every service is ready" },
    { path: "/metrics", status: 200, body: "process_cpu_seconds_total", because: "Prometheus reads it" },
    { path: "/status", status: 200, body: "Online", because: "people read it" },
    { path: "/status/pages?offset=7", status: 200, body: '"offset": "7"', because: "it is asked for a part" },
    { path: "/status/broken", status: 500, body: "cannot be read", because: "nobody learns why" },
    { path: "/debug", status: 404, body: "not found", because: "S32 nothing else is open" },
  ])("$path answers $status: $because", async ({ path, status, body }) => {
    await withProbes(true, async (get) => {
      const response = await get(path);
      expect(response.status).toBe(status);
      await expect(response.text()).resolves.toContain(body);
    });
  });

  test("/readyz names who is not ready, while /livez stays good: a restart would not help", async () => {
    await withProbes(false, async (get) => {
      const [ready, live] = [await get("/readyz"), await get("/livez")];
      expect(ready.status).toBe(503);
      await expect(ready.text()).resolves.toContain("waiting for: store");
      expect(live.status).toBe(200);
    });
  });

  test("/readyz is the first to know that the program stops, before any service does", async () => {
    await withProbes(true, async (get, stopping) => {
      stopping.abort();
      const [ready, live] = [await get("/readyz"), await get("/livez")];
      expect(ready.status).toBe(503);
      await expect(ready.text()).resolves.toBe("stopping\n");
      expect(live.status).toBe(200);
    });
  });
});
