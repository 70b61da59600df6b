import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { hostOf, hostsOf, loginServerOf } from "./names.ts";

const registry = (service: Partial<ConnectedRegistry["spec"]["service"]>): ConnectedRegistry =>
  ({
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ConnectedRegistry",
    metadata: { name: "contoso", namespace: "edge" },
    spec: { service: { type: "ClusterIP", ...service }, tls: { source: "Generated" } },
  }) as ConnectedRegistry;
const addresses = { cluster: ["10.96.0.10", "fd00:96::a"], external: ["lb.example"] };

test.each([
  { service: {}, host: "contoso.edge.svc.cluster.local", because: "443 needs no mention" },
  { service: { port: 443 }, host: "contoso.edge.svc.cluster.local", because: "443 needs no mention" },
  { service: { port: 8443 }, host: "contoso.edge.svc.cluster.local:8443", because: "another port does" },
  {
    service: { port: 8443, loginServer: "edge.example" },
    host: "edge.example",
    because: "a name of the user's own may lead there by another way, with its own port",
  },
])("the login server is $host, since $because", ({ service, host }) => {
  expect(loginServerOf(registry(service))).toBe(host);
  expect(hostsOf(registry(service), addresses)[0]).toBe(host);
});

test("every name and address of a registry has its port", () => {
  expect(hostsOf(registry({ port: 8443 }), addresses)).toEqual([
    "contoso.edge.svc.cluster.local:8443",
    "contoso.edge.svc:8443",
    "contoso.edge:8443",
    "contoso:8443",
    "10.96.0.10:8443",
    "[fd00:96::a]:8443",
    "lb.example:8443",
  ]);
});

test.each([
  { loginServer: "edge.example", host: "edge.example" },
  { loginServer: "edge.example:8443", host: "edge.example" },
  { loginServer: "10.96.0.10:8443", host: "10.96.0.10" },
  { loginServer: "fd00:96::a", host: "fd00:96::a" },
  { loginServer: "[fd00:96::a]:8443", host: "fd00:96::a" },
])("the host of $loginServer is $host", ({ loginServer, host }) => {
  expect(hostOf(loginServer)).toBe(host);
});
