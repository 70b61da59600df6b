import { repositoryActions, type RepositoryAction } from "../../common/contract/scope.ts";
import { image, item, repository, streamOf } from "../content/testing/images.ts";
import { basic, clientToken, openLoopback, type Loopback } from "./testing/loopback.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const one = image(config, []);
const { digest } = one.descriptor;
const password = "p".repeat(43);

/** Every kind of request, and the actions that it needs (ACR's scope maps). Nothing else may decide. */
const requests: readonly {
  readonly method: string;
  readonly path: string;
  readonly needs: readonly RepositoryAction[];
}[] = [
  { method: "GET", path: `/v2/a/manifests/${digest}`, needs: ["content/read"] },
  { method: "HEAD", path: `/v2/a/manifests/none`, needs: ["content/read"] },
  { method: "GET", path: `/v2/a/blobs/${config.descriptor.digest}`, needs: ["content/read"] },
  { method: "HEAD", path: `/v2/a/blobs/${config.descriptor.digest}`, needs: ["content/read"] },
  { method: "GET", path: `/v2/a/referrers/${digest}`, needs: ["content/read"] },
  { method: "GET", path: "/v2/a/tags/list", needs: ["content/read", "metadata/read"] },
  { method: "POST", path: "/v2/a/blobs/uploads/", needs: ["content/write"] },
  { method: "GET", path: "/v2/a/blobs/uploads/none", needs: ["content/write"] },
  { method: "PATCH", path: "/v2/a/blobs/uploads/none", needs: ["content/write"] },
  { method: "PUT", path: "/v2/a/blobs/uploads/none", needs: ["content/write"] },
  { method: "DELETE", path: "/v2/a/blobs/uploads/none", needs: ["content/write"] },
  { method: "PUT", path: "/v2/a/manifests/new", needs: ["content/write"] },
  { method: "DELETE", path: "/v2/a/manifests/none", needs: ["content/delete"] },
  { method: "DELETE", path: `/v2/a/blobs/sha256:${"0".repeat(64)}`, needs: ["content/delete"] },
  { method: "GET", path: "/acr/v1/a", needs: ["metadata/read"] },
  { method: "GET", path: "/acr/v1/a/_tags", needs: ["metadata/read"] },
  { method: "GET", path: "/acr/v1/a/_manifests", needs: ["metadata/read"] },
  { method: "GET", path: "/acr/v1/a/_tags/none", needs: ["metadata/read"] },
  { method: "GET", path: `/acr/v1/a/_manifests/${digest}`, needs: ["metadata/read"] },
  { method: "PATCH", path: "/acr/v1/a/_tags/none", needs: ["metadata/write"] },
];

/** None, each alone, all but one, all: enough to see of each action that it alone decides. */
const sets: readonly (readonly RepositoryAction[])[] = [
  [],
  ...repositoryActions.map((action) => [action]),
  ...repositoryActions.map((action) => repositoryActions.filter((other) => other !== action)),
  repositoryActions,
];

async function fill(registry: Loopback): Promise<void> {
  const target = registry.content.open(repository("a"));
  for (const each of [config, one]) await target.push(each.descriptor, streamOf(each));
}

/** The status of each request, for those that were refused. */
async function refusals(
  registry: Loopback,
  headers: Record<string, string>,
): Promise<Record<string, number>> {
  const refused: Record<string, number> = {};
  for (const { method, path } of requests) {
    const { status } = await registry.send(method, path, { headers, body: "" });
    if (status === 401 || status === 403) refused[`${method} ${path}`] = status;
  }
  return refused;
}

function expected(actions: readonly RepositoryAction[], status: number): Record<string, number> {
  const refused = requests.filter(({ needs }) => needs.some((action) => !actions.includes(action)));
  return Object.fromEntries(refused.map(({ method, path }) => [`${method} ${path}`, status]));
}

describe("a client whose token has some of the five actions may do what they say and nothing else", () => {
  let registry: Loopback;

  beforeAll(async () => {
    registry = await openLoopback("none");
    await fill(registry);
  });

  afterAll(async () => {
    await registry.close();
  });

  const rules = (actions: readonly RepositoryAction[]): string[] =>
    actions.map((action) => `repositories/a/${action}`);

  test.each(sets.map((actions) => ({ actions, list: actions.join(" ") })))("$list", async ({ actions }) => {
    registry.tokens.replace([clientToken("client", password, rules(actions))]);
    const withPassword = basic("client", password);
    expect(await refusals(registry, withPassword)).toEqual(expected(actions, 403));
    const { body } = await registry.send("GET", "/oauth2/token?scope=repository:a:*", {
      headers: withPassword,
    });
    const { token } = JSON.parse(body.toString()) as { token: string };
    expect(await refusals(registry, { authorization: `Bearer ${token}` })).toEqual(expected(actions, 403));
  });

  test.each([
    { words: "pull", actions: ["content/read", "metadata/read"] as const },
    { words: "push", actions: ["content/write", "metadata/write"] as const },
    { words: "delete", actions: ["content/delete"] as const },
    { words: "metadata_read", actions: ["metadata/read"] as const },
    { words: "metadata_write", actions: ["metadata/write"] as const },
    { words: "pull,push,delete", actions: repositoryActions },
    { words: "", actions: [] },
  ])(
    "a bearer token for '$words' carries no more, whatever the client may do",
    async ({ words, actions }) => {
      registry.tokens.replace([clientToken("client", password, rules(repositoryActions))]);
      const { body } = await registry.send("GET", `/oauth2/token?scope=repository:a:${words}`, {
        headers: basic("client", password),
      });
      const { token } = JSON.parse(body.toString()) as { token: string };
      expect(await refusals(registry, { authorization: `Bearer ${token}` })).toEqual(expected(actions, 401));
    },
  );
});

test.each(sets.map((actions) => ({ actions, list: actions.join(",") || "none" })))(
  "S32 nobody in particular may do what --anonymous $list says and nothing else",
  async ({ actions, list }) => {
    const registry = await openLoopback(list);
    try {
      await fill(registry);
      expect(await refusals(registry, {})).toEqual(expected(actions, 401));
      const { status, body } = await registry.send("GET", "/oauth2/token?scope=repository:a:*");
      expect(status).toBe(actions.length === 0 ? 401 : 200);
      const { token = "none" } = JSON.parse(body.toString()) as { token?: string };
      const headers = { authorization: `Bearer ${token}` };
      expect(await refusals(registry, headers)).toEqual(expected(actions, 401));
      const catalog = await registry.send("GET", "/v2/_catalog");
      expect(catalog.status).toBe(actions.length === 0 ? 401 : 200);
      const { repositories } = JSON.parse(catalog.body.toString()) as { repositories?: string[] };
      const visible = actions.includes("content/read") ? ["a"] : [];
      expect(repositories).toEqual(actions.length === 0 ? undefined : visible);
    } finally {
      await registry.close();
    }
  },
);
