import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimedIndex, claimIndex, releaseIndex } from "./claims.ts";

let folder: string;
let root: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "claims-"));
  root = join(folder, "connected-registry", "clusters");
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("every name gets a network of its own, and keeps it", async () => {
  expect(await claimIndex(root, "one")).toBe(0);
  expect(await claimIndex(root, "two")).toBe(1);
  expect(await claimIndex(root, "one")).toBe(0);
  expect(await claimedIndex(root, "two")).toBe(1);
});

test("names that ask at the same time do not get the same network", async () => {
  const names = Array.from({ length: 8 }, (_, i) => `cluster-${i}`);
  const claimed = await Promise.all(names.map((name) => claimIndex(root, name)));
  expect(new Set(claimed).size).toBe(names.length);
});

test("a network that was given back is the next to be had", async () => {
  await claimIndex(root, "one");
  await claimIndex(root, "two");
  await releaseIndex(root, 0);
  expect(await claimedIndex(root, "one")).toBeUndefined();
  expect(await claimIndex(root, "three")).toBe(0);
});

test("the last one removes the folders", async () => {
  await claimIndex(root, "one");
  await releaseIndex(root, 0);
  expect(existsSync(join(folder, "connected-registry"))).toBe(false);
});

test("a folder with something else in it stays", async () => {
  await claimIndex(root, "one");
  await mkdir(join(folder, "connected-registry", "data"));
  await releaseIndex(root, 0);
  expect(existsSync(join(folder, "connected-registry", "data"))).toBe(true);
});
