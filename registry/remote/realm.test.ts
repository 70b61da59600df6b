import { trustedRealm } from "./realm.ts";

const parent = new URL("https://registry.example:5000");

test.each([
  { realm: "https://registry.example:5000/token", because: "it is the parent" },
  { realm: "https://registry.example/token", because: "another port of the parent's host is the parent's" },
  { realm: "https://auth.example/token", because: "it was allowed by name" },
])("takes $realm: $because", ({ realm }) => {
  expect(trustedRealm(realm, parent, ["auth.example"])?.href).toBe(realm);
});

test.each([
  { realm: "https://evil.example/token", because: "it is another host" },
  { realm: "http://registry.example:5000/token", because: "the parent is on https" },
  { realm: "https://10.0.0.1/token", because: "an address is another host" },
  { realm: "https://registry.example.evil.example/token", because: "it only looks like the parent" },
  { realm: "https://auth.registry.example/token", because: "a sub-domain may be somebody else's" },
  { realm: "https://registry.example@evil.example/token", because: "the host is hidden behind a user" },
  { realm: "https://user:word@registry.example/token", because: "it brings its own user" },
  { realm: "file:///etc/passwd", because: "it is no web address" },
  { realm: "", because: "there is none" },
])("S40 refuses $realm: $because", ({ realm }) => {
  expect(trustedRealm(realm, parent, ["auth.example"])).toBeUndefined();
});

test("a parent on plain http may have its token service there too", () => {
  expect(trustedRealm("http://a:1/token", new URL("http://a:2"), [])?.href).toBe("http://a:1/token");
});
