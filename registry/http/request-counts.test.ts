import { meteredMetrics } from "./testing/metrics.ts";

const blob = { route: "blob", method: "GET", status: 200, seconds: 0.004, received: 100, sent: 5000 };

async function metricsAfter(...outcomes: readonly Partial<typeof blob>[]): Promise<readonly string[]> {
  const { metrics, text } = meteredMetrics([{ name: "blob", method: "GET" }]);
  for (const outcome of outcomes) {
    metrics.begin();
    metrics.end({ ...blob, ...outcome });
  }
  return (await text()).split("\n");
}

test("everything that will be counted begins at zero", async () => {
  const lines = await metricsAfter();
  expect(lines).toEqual(
    expect.arrayContaining([
      'connected_registry_http_requests_total{route="blob",method="GET",status="5xx"} 0',
      'connected_registry_http_request_duration_seconds_bucket{route="blob",le="+Inf"} 0',
      'connected_registry_http_request_duration_seconds_count{route="blob"} 0',
      'connected_registry_http_sent_bytes_total{route="blob"} 0',
      "connected_registry_http_requests_in_flight 0",
    ]),
  );
});

test("a histogram counts each duration in its bucket and in every larger one, and adds them up", async () => {
  const lines = await metricsAfter({ seconds: 0.001 }, { seconds: 0.004 }, { seconds: 1000 });
  expect(lines).toEqual(
    expect.arrayContaining([
      "# TYPE connected_registry_http_request_duration_seconds histogram",
      'connected_registry_http_request_duration_seconds_bucket{route="blob",le="0.001"} 1',
      'connected_registry_http_request_duration_seconds_bucket{route="blob",le="0.0025"} 1',
      'connected_registry_http_request_duration_seconds_bucket{route="blob",le="0.005"} 2',
      'connected_registry_http_request_duration_seconds_bucket{route="blob",le="300"} 2',
      'connected_registry_http_request_duration_seconds_bucket{route="blob",le="+Inf"} 3',
      'connected_registry_http_request_duration_seconds_sum{route="blob"} 1000.005',
      'connected_registry_http_request_duration_seconds_count{route="blob"} 3',
    ]),
  );
});

test.each([
  { status: 206, counted: "2xx", method: "GET", as: "GET", because: "classes are what people alert on" },
  {
    status: 503,
    counted: "5xx",
    method: "PUT",
    as: "PUT",
    because: "a route may get methods it was not made for",
  },
  {
    status: 101,
    counted: "4xx",
    method: "GET",
    as: "GET",
    because: "what is none of ours is the client's fault",
  },
  { status: 405, counted: "4xx", method: "BREW", as: "OTHER", because: "clients must not make time series" },
])("$method with $status counts as $as with $counted: $because", async ({ status, counted, method, as }) => {
  const lines = await metricsAfter({ status, method }, { status, method });
  expect(lines).toContain(
    `connected_registry_http_requests_total{route="blob",method="${as}",status="${counted}"} 2`,
  );
});

test("bytes are added up, and requests that run are counted", async () => {
  const { metrics, text } = meteredMetrics([]);
  metrics.begin();
  metrics.begin();
  metrics.end(blob);
  const lines = (await text()).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'connected_registry_http_received_bytes_total{route="blob"} 100',
      'connected_registry_http_sent_bytes_total{route="blob"} 5000',
      "connected_registry_http_requests_in_flight 1",
    ]),
  );
});
