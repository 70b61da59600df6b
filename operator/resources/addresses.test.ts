import type { Service } from "../api/kubernetes.ts";
import { addressesOf } from "./addresses.ts";

const service = (spec: Service["spec"], ...ingress: { ip?: string; hostname?: string }[]): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "contoso-edge", namespace: "edge" },
  spec,
  status: { loadBalancer: { ingress } },
});
const balanced = { type: "LoadBalancer", clusterIP: "10.96.0.10" } as const;

test.each<{ given: Service; cluster: readonly string[]; external: readonly string[]; because: string }>([
  {
    given: service({ type: "ClusterIP", clusterIP: "10.96.0.10" }),
    cluster: ["10.96.0.10"],
    external: [],
    because: "it is for the cluster alone",
  },
  {
    given: service({ clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10", "fd00:96::a"] }),
    cluster: ["10.96.0.10", "fd00:96::a"],
    external: [],
    because: "it has an address of each family",
  },
  {
    given: service(balanced, { ip: "203.0.113.9" }, { hostname: "lb.example" }, { ip: "203.0.113.7" }),
    cluster: ["10.96.0.10"],
    external: ["203.0.113.7", "203.0.113.9", "lb.example"],
    because: "a load balancer may list them in another order the next time",
  },
  {
    given: service(balanced, { ip: "203.0.113.7" }, { ip: "203.0.113.7" }),
    cluster: ["10.96.0.10"],
    external: ["203.0.113.7"],
    because: "one address is one name in the certificate",
  },
  {
    given: service(balanced, { hostname: "*.example" }, { hostname: "a b" }, { ip: "nowhere" }, {}),
    cluster: ["10.96.0.10"],
    external: [],
    because: "no certificate can be made for these, and none is made for a wildcard",
  },
  {
    given: service({ type: "NodePort", clusterIP: "10.96.0.10" }, { ip: "203.0.113.7" }),
    cluster: ["10.96.0.10"],
    external: [],
    because: "what a load balancer that is no longer wanted left behind does not count",
  },
])("addressesOf is $cluster and $external when $because", ({ given, cluster, external }) => {
  expect(addressesOf(given)).toEqual({ cluster, external });
});

test("addressesOf counts no more of a load balancer than a certificate should name", () => {
  const many = Array.from({ length: 40 }, (_, n) => ({ ip: `203.0.113.${String(n)}` }));
  expect(addressesOf(service(balanced, ...many))?.external).toHaveLength(16);
});

test.each([{ clusterIP: "" }, { clusterIP: "None" }, {}])("addressesOf knows none of %j", (spec) => {
  expect(addressesOf(service(spec))).toBeUndefined();
});
