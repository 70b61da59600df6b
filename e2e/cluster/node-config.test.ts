import { containerdConfig, podNetworkConfig } from "./containerd-config.ts";
import { corefile } from "./dns.ts";
import { kubeletConfig, kubeProxyConfig } from "./kubernetes-config.ts";
import { planOf } from "./plan.ts";

const plan = planOf("e2e", 5, "/clusters");
const settings = {
  snapshotter: "overlayfs",
  sandboxImage: "localhost/busybox:1",
  cniBinDir: "/cni/bin",
  cniConfDir: "/cni/conf",
  certsDir: "/certs.d",
  restrictOomScore: true,
} as const;

test.each([
  { line: "version = 3", because: "containerd 2 reads other names in version 2" },
  { line: 'config_path = "/certs.d"', because: "it reads hosts.toml at every pull" },
  { line: 'sandbox = "localhost/busybox:1"', because: "the default image is on the internet" },
  { line: "SystemdCgroup = false", because: "the kubelet makes cgroups itself, too" },
  { line: "restrict_oom_score_adj = true", because: "without CAP_SYS_RESOURCE no sandbox starts" },
  { line: 'bin_dirs = ["/cni/bin"]', because: "the plugins come from the cache" },
])("containerd is told $line, because $because", ({ line }) => {
  expect(
    containerdConfig(settings)
      .split("\n")
      .map((each) => each.trim()),
  ).toContain(line);
});

test("pods get addresses of the cluster's own network", () => {
  expect(JSON.stringify(podNetworkConfig(plan.podCidr))).toContain('"ranges":[[{"subnet":"10.214.5.0/24"}]]');
});

test("the kubelet keeps pods under the cluster's cgroup, and asks the API server who may see them", () => {
  expect(kubeletConfig(plan, "/pki")).toMatchObject({
    cgroupRoot: "/connected-registry-e2e",
    clusterDNS: [plan.dnsAddress],
    authentication: { anonymous: { enabled: false } },
    authorization: { mode: "Webhook" },
  });
});

test.each([
  { bridged: true, masqueradeAll: false, because: "the firewall sees what crosses the bridge" },
  { bridged: false, masqueradeAll: true, because: "answers would bypass the Service otherwise" },
])(
  "with bridged=$bridged all is masqueraded: $masqueradeAll, because $because",
  ({ bridged, masqueradeAll }) => {
    expect(kubeProxyConfig(plan, "/kubeconfig", bridged)).toMatchObject({ iptables: { masqueradeAll } });
  },
);

test("the cluster's DNS knows the parent by itself, so that it answers while the link is cut", () => {
  const config = corefile(plan, "/kubeconfig");
  expect(config).toContain(`${plan.parent.wanAddress} registry.contoso.example`);
  expect(config).not.toContain("forward");
});
