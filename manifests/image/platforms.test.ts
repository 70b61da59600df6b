import { readFileSync } from "node:fs";
import { nodeVersion } from "./platforms.ts";

test("the Node that ships is the Node that the tests run on", () => {
  const { devDependencies } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { devDependencies: { node: string } };
  expect(nodeVersion).toBe(devDependencies.node);
  expect(`v${nodeVersion}`).toBe(process.version);
});
