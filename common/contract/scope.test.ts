import { InvalidScopeError, isScopePattern, parseGatewayScope, parseScope, scopeMatches } from "./scope.ts";

describe("parseScope", () => {
  test.each([
    { text: "repositories/hello-world/content/read", pattern: "hello-world", action: "content/read" },
    { text: "repositories/samples/*/metadata/write", pattern: "samples/*", action: "metadata/write" },
    { text: "repositories/*/content/delete", pattern: "*", action: "content/delete" },
    { text: "Repositories/Samples/Content/READ", pattern: "samples", action: "content/read" },
  ])("reads $text", ({ text, pattern, action }) => {
    expect(parseScope(text)).toEqual({ pattern, action });
  });

  test.each([
    { text: "repositories/a/*/b/content/read", because: "the star is not the last segment" },
    { text: "repositories/team*/content/read", because: "the star is part of a segment" },
    { text: "repositories/*/*/content/read", because: "there are two stars" },
    { text: "repositories//content/read", because: "there is no name" },
    { text: "repositories/a/content/execute", because: "the action is unknown" },
    { text: "gateway/a/config/read", because: "it is not about a repository" },
  ])("refuses $text: $because", ({ text }) => {
    expect(() => parseScope(text)).toThrow(InvalidScopeError);
  });
});

describe("parseGatewayScope", () => {
  test.each([
    { text: "gateway/hall1/config/read", registry: "hall1", action: "config/read" },
    { text: "Gateway/Hall-One/Message/WRITE", registry: "hall-one", action: "message/write" },
  ])("reads $text", ({ text, registry, action }) => {
    expect(parseGatewayScope(text)).toEqual({ registry, action });
  });

  test.each([
    { text: "gateway/hall1/config/delete", because: "the action is unknown" },
    { text: "gateway/*/config/read", because: "a pattern would be any registry's" },
    { text: "gateway/config/read", because: "there is no name" },
    { text: "gateway/a/b/config/read", because: "no registry is called so" },
    { text: "repositories/hall1/content/read", because: "it is about a repository" },
  ])("refuses $text: $because", ({ text }) => {
    expect(() => parseGatewayScope(text)).toThrow(InvalidScopeError);
  });
});

test.each([
  { pattern: "*", is: true },
  { pattern: "apps/web__api/*", is: true },
  { pattern: "apps/a..b", is: false },
  { pattern: "apps/*/x", is: false },
])("$pattern is the pattern of a scope: $is", ({ pattern, is }) => {
  expect(isScopePattern(pattern)).toBe(is);
});

test.each([
  { pattern: "*", repository: "a/b/c", matches: true },
  { pattern: "a/*", repository: "a/b/c", matches: true },
  { pattern: "a/*", repository: "ab/c", matches: false },
  { pattern: "a/*", repository: "a", matches: false },
  { pattern: "a", repository: "a", matches: true },
  { pattern: "a", repository: "a/b", matches: false },
])("$pattern names $repository: $matches", ({ pattern, repository, matches }) => {
  expect(scopeMatches(pattern, repository)).toBe(matches);
});
