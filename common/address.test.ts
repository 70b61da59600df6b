import { isLoopback, parseAddress } from "./address.ts";

describe("parseAddress", () => {
  test.each([
    { text: "127.0.0.1:5000", address: { host: "127.0.0.1", port: 5000 }, because: "IPv4" },
    { text: "[::]:443", address: { host: "::", port: 443 }, because: "IPv6 in brackets" },
    { text: "edge.example:0", address: { host: "edge.example", port: 0 }, because: "0 is any free port" },
    { text: "::1:5000", address: undefined, because: "without brackets nobody knows where the port begins" },
    { text: "5000", address: undefined, because: "the host is missing" },
    { text: "a:70000", address: undefined, because: "there is no such port" },
    { text: "http://a:1", address: undefined, because: "it is a URL" },
    { text: "", address: undefined, because: "there is nothing" },
  ])('reads "$text": $because', ({ text, address }) => {
    expect(parseAddress(text)).toEqual(address);
  });
});

test.each([
  { host: "127.0.0.1", loopback: true },
  { host: "127.9.9.9", loopback: true },
  { host: "::1", loopback: true },
  { host: "localhost", loopback: true },
  { host: "0.0.0.0", loopback: false },
  { host: "::", loopback: false },
  { host: "127.example.com", loopback: false },
])("isLoopback($host) is $loopback", ({ host, loopback }) => {
  expect(isLoopback(host)).toBe(loopback);
});
