/** The architecture as a failing build. */
const test = "\\.test\\.ts$|/testing/|/conformance\\.ts$|/e2e/|^e2e/|^bench/";

const only = (name, comment, to, allowed) => ({
  name,
  comment,
  severity: "error",
  from: { pathNot: `${allowed}|^e2e/|^bench/|^manifests/|^crds/` },
  // What a thing is may be known anywhere; to make or call one is another matter.
  to: { path: to, dependencyTypesNot: ["type-only"] },
});
const never = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

module.exports = {
  forbidden: [
    never("no-circular", "a cycle is one module that does not know it", {}, { circular: true }),
    never(
      "common-is-a-leaf",
      "common imports no program",
      { path: "^common/" },
      { path: "^(operator|registry|agent|cli|e2e)/" },
    ),
    never(
      "operator-not-registry",
      "the programs meet in common/contract",
      { path: "^operator/" },
      { path: "^(registry|agent|cli)/" },
    ),
    never(
      "registry-not-operator",
      "the programs meet in common/contract",
      { path: "^registry/" },
      { path: "^(operator|agent|cli)/" },
    ),
    never(
      "agent-alone",
      "the programs meet in common/contract",
      { path: "^agent/" },
      { path: "^(operator|registry|cli)/" },
    ),
    never(
      "main-is-the-root",
      "nothing but the command imports a main.ts",
      { pathNot: "^cli/|main\\.test\\.ts$" },
      { path: "(^|/)(operator|registry|agent|cli)/main\\.ts$" },
    ),
    never(
      "runtime-knows-no-api",
      "operator/runtime is a controller runtime, not ours in particular",
      { path: "^operator/runtime/" },
      { path: "^operator/(api|status|resources|controllers)/" },
    ),
    never(
      "resources-are-pure",
      "desired objects are functions of data",
      { path: "^operator/(resources|status)/", pathNot: test },
      {
        path: "^operator/controllers/|^operator/runtime/(client-node|watch|controller|workqueue|leader)\\.ts$",
      },
    ),
    never(
      "content-knows-no-http-or-sync",
      "content is bytes and names",
      { path: "^registry/content/" },
      { path: "^registry/(http|sync|remote|auth|cluster)/" },
    ),
    never(
      "sync-knows-no-http",
      "sync talks to ports",
      { path: "^registry/(sync|remote)/" },
      { path: "^registry/(http|auth|cluster)/" },
    ),
    never(
      "auth-knows-no-http",
      "auth decides; http speaks",
      { path: "^registry/auth/" },
      { path: "^registry/(http|sync|remote|content|cluster)/" },
    ),
    never(
      "testing-only-in-tests",
      "test support never ships",
      { pathNot: test },
      { path: "/testing/|/conformance\\.ts$" },
    ),
    only(
      "express-in-http",
      "express is the router of the API, nowhere else",
      "node_modules/express/",
      "^registry/http/",
    ),
    only(
      "client-node-in-two-files",
      "the cluster is reached through ports",
      "node_modules/@kubernetes/client-node/",
      "^operator/runtime/(client-node|watch)\\.ts$",
    ),
    only(
      "prom-client-at-its-place",
      "one metrics registry per program",
      "node_modules/prom-client/",
      "^(common/(metrics|probes)|.*/metrics|.*/main)\\.ts$",
    ),
    never(
      "no-dev-dependency-ships",
      "what ships needs a dependency, not a devDependency",
      { path: "^(common|operator|registry|agent|cli)/", pathNot: test },
      { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    ),
    never("no-unresolvable", "an import that does not resolve", {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
    exclude: { path: "^dist/" },
  },
};
