import { parseChallenges } from "./challenge.ts";

test.each([
  {
    header: 'Bearer realm="https://a/token",service="a",scope="repository:x:pull,push"',
    challenges: [
      {
        scheme: "bearer",
        parameters: { realm: "https://a/token", service: "a", scope: "repository:x:pull,push" },
      },
    ],
    because: "it is what registries send",
  },
  {
    header: 'Basic realm="a \\"b\\""',
    challenges: [{ scheme: "basic", parameters: { realm: 'a "b"' } }],
    because: "quotes are escaped",
  },
  {
    header: "Negotiate, BASIC realm=a, bearer Realm=b",
    challenges: [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "a" } },
      { scheme: "bearer", parameters: { realm: "b" } },
    ],
    because: "there may be several, in any case",
  },
  { header: "", challenges: [], because: "there may be none" },
  { header: '"=,;', challenges: [], because: "there may be nonsense" },
])("reads $header: $because", ({ header, challenges }) => {
  expect(parseChallenges(header)).toEqual(challenges);
});
