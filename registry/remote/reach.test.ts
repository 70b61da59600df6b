import { isMetadataService, mayLead, reachOf, type Reach } from "./reach.ts";

test.each([
  ["8.8.8.8", "public"],
  ["2606:4700::1", "public"],
  ["10.1.2.3", "private"],
  ["172.31.255.255", "private"],
  ["172.32.0.1", "public"],
  ["192.168.0.1", "private"],
  ["100.64.0.1", "private"],
  ["[fd12::1]", "private"],
  ["127.0.0.1", "loopback"],
  ["127.9.9.9", "loopback"],
  ["0.0.0.0", "loopback"],
  ["[::1]", "loopback"],
  ["[::]", "loopback"],
  ["169.254.169.254", "linkLocal"],
  ["168.63.129.16", "linkLocal"],
  ["100.100.100.200", "linkLocal"],
  ["[fd00:ec2::254]", "linkLocal"],
  ["[fe80::1]", "linkLocal"],
  ["fe80::1%eth0", "linkLocal"],
  ["239.1.1.1", "linkLocal"],
  ["[::ffff:169.254.169.254]", "linkLocal"],
  ["[::ffff:a9fe:a9fe]", "linkLocal"],
  ["[::ffff:7f00:1]", "loopback"],
  ["[64:ff9b::a00:1]", "private"],
  ["localhost", "loopback"],
  ["registry.example", undefined],
  ["127.0.0.1.example", undefined],
])("S42 %s is %s", (host, reach) => {
  expect(reachOf(host)).toBe(reach);
});

test.each(["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"])(
  "S42 %s is loopback, however it is written",
  (url) => {
    expect(reachOf(new URL(url).hostname)).toBe("loopback");
  },
);

test.each<{ from: Reach; to: readonly Reach[]; because: string }>([
  { from: "public", to: ["public"], because: "what is near to us is no business of the internet" },
  {
    from: "private",
    to: ["public", "private"],
    because: "its content may lie on another machine of the site",
  },
  { from: "loopback", to: ["public", "private", "loopback"], because: "it is on our own machine" },
  { from: "linkLocal", to: ["public", "linkLocal"], because: "nothing else is known of it" },
])("S42 who is $from may lead us to $to: $because", ({ from, to }) => {
  const all: readonly Reach[] = ["public", "private", "loopback", "linkLocal"];
  expect(all.filter((each) => mayLead(from, each))).toEqual(to);
});

test.each([
  { host: "169.254.169.254", is: true, because: "nearly all clouds have theirs there" },
  { host: "[fd00:ec2::254]", is: true, because: "Amazon has one" },
  { host: "[::ffff:a9fe:a9fe]", is: true, because: "it is the same in another form" },
  { host: "169.254.1.1", is: false, because: "a registry may be on the same wire" },
  { host: "10.0.0.1", is: false, because: "many parents have private addresses" },
  { host: "metadata.example", is: false, because: "it is a name, of which the address is looked at" },
])("S42 $host is a metadata service: $is, for $because", ({ host, is }) => {
  expect(isMetadataService(host)).toBe(is);
});
