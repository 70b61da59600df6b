import { readFileSync } from "node:fs";

const { compilerOptions } = JSON.parse(readFileSync(new URL("tsconfig.json", import.meta.url), "utf8"));

/** Unit tests lie beside their file; integration needs a real kube-apiserver and etcd, e2e a real node (root on Linux). */
const shared = {
  extensionsToTreatAsEsm: [".ts"],
  // Relative imports name the .ts file, and are left as they are. Types are checked by `npm run typecheck`.
  transform: {
    "^.+\\.ts$": [
      "ts-jest",
      {
        useESM: true,
        diagnostics: false,
        tsconfig: { ...compilerOptions, rewriteRelativeImportExtensions: false },
      },
    ],
  },
  testPathIgnorePatterns: ["/node_modules/", "/dist/"],
};

/** Of each test and hook. Jest heeds `testTimeout` at the root only, so that each project brings its own. */
const patience = (testTimeoutMs) => ({
  globals: { testTimeoutMs },
  setupFilesAfterEnv: ["<rootDir>/jest.setup.js"],
});

// All is over by then, and told. Left alone, Node closes what is open once more, and once was seen to wait for that for ever
// after tests that cut connections (100 % of a core in its CleanupHandles); this way it does not.
process.once("beforeExit", () => process.exit());

export default {
  watchman: false,
  projects: [
    {
      ...shared,
      displayName: "unit",
      testMatch: ["**/*.test.ts"],
      testPathIgnorePatterns: [...shared.testPathIgnorePatterns, "\\.(integration|e2e|long)\\.test\\.ts$"],
      // Far more than any takes: a machine that is busy with something else must not fail them.
      ...patience(60_000),
    },
    {
      ...shared,
      displayName: "integration",
      testMatch: ["**/*.integration.test.ts"],
      ...patience(60_000),
    },
    { ...shared, displayName: "e2e", testMatch: ["**/*.e2e.test.ts"], ...patience(300_000) },
    { ...shared, displayName: "long", testMatch: ["**/*.long.test.ts"], ...patience(3_600_000) },
  ],
};
