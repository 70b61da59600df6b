import { networkOf } from "./network.ts";

test.each([
  { address: "10.0.0.1", network: "10.0.0.1" },
  { address: "::ffff:10.0.0.1", network: "10.0.0.1" },
  { address: "2001:db8:1:2:3:4:5:6", network: "2001:db8:1:2::/64" },
  { address: "2001:0db8:0001:0002::6", network: "2001:db8:1:2::/64" },
  { address: "2001:DB8::6", network: "2001:db8:0:0::/64" },
  { address: "fe80::1%eth0", network: "fe80:0:0:0::/64" },
  { address: "::1", network: "0:0:0:0::/64" },
  { address: "64:ff9b::10.0.0.1", network: "64:ff9b:0:0::/64" },
  { address: "1:2:3::4:5:6.7.8.9", network: "1:2:3:0::/64" },
  { address: "", network: "" },
])("$address belongs to $network", ({ address, network }) => {
  expect(networkOf(address)).toBe(network);
});
