import { rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../common/clock.ts";
import { silentProgress } from "../terminal/progress.ts";
import { Cache } from "./cache.ts";
import { cacheFolder, explicitFolders } from "./provide.ts";
import { Provider, type ProviderOptions } from "./provider.ts";
import type { PackageInstaller } from "./packages.ts";
import { makeBundle, makeFolder, makeProgram, MemorySource } from "./testing/fakes.ts";

const never = new AbortController().signal;
const key = "0123456789abcdef";
const anvil = makeBundle({ programs: ["anvil", "hammer"] });
const saw = makeBundle({ name: "saw", programs: ["saw"] });
let root: string;
let cache: Cache;
let build: MemorySource;
let download: MemorySource;
let explicit: string;
let system: string;
const installed: string[][] = [];

beforeEach(async () => {
  root = await makeFolder();
  cache = new Cache(join(root, "cache"), systemClock);
  [build, download] = [new MemorySource(), new MemorySource()];
  [explicit, system] = [join(root, "explicit"), join(root, "system")];
  installed.length = 0;
});
afterEach(() => rm(root, { recursive: true }));

const apt: PackageInstaller = {
  obstacle: async () => undefined,
  install: async (packages) => {
    installed.push([...packages]);
    await makeProgram(system, "runc");
    await makeProgram(system, "iptables");
  },
};

function provider(overrides: Partial<ProviderOptions> = {}): Provider {
  return new Provider({
    bundles: [anvil, saw],
    cache,
    keyOf: async () => key,
    sources: [build, download],
    installer: apt,
    explicitFolders: () => [explicit],
    systemFolders: [system],
    ...overrides,
  });
}

async function provide(
  names: readonly string[],
  using = provider(),
): Promise<Readonly<Record<string, string>>> {
  const paths = using.provide(names, silentProgress, never);
  const entries = [...paths].map(async ([name, path]) => [name, await path] as const);
  return Object.fromEntries(await Promise.all(entries));
}

const cached = (name: string, program: string): string =>
  join(root, "cache", `${name}-1.2.3-${key}`, program);

describe("the order of look-up", () => {
  const inExplicit = (): Promise<unknown> => makeProgram(explicit, "saw");
  const inCache = async (): Promise<unknown> =>
    cache.add(
      saw,
      key,
      (folder) => makeProgram(folder, "saw").then(() => undefined),
      never,
      () => undefined,
    );
  const noGo = async (): Promise<unknown> => (build.reason = "Go is not installed");
  const brokenBuild = async (): Promise<unknown> =>
    (build.before = () => Promise.reject(new Error("no module")));

  test.each([
    {
      name: "an explicit folder",
      given: [inExplicit, inCache],
      path: () => join(explicit, "saw"),
      built: 0,
      downloaded: 0,
    },
    { name: "the cache", given: [inCache], path: () => cached("saw", "saw"), built: 0, downloaded: 0 },
    { name: "a build", given: [], path: () => cached("saw", "saw"), built: 1, downloaded: 0 },
    {
      name: "a download without Go",
      given: [noGo],
      path: () => cached("saw", "saw"),
      built: 0,
      downloaded: 1,
    },
    {
      name: "a download after a failed build",
      given: [brokenBuild],
      path: () => cached("saw", "saw"),
      built: 1,
      downloaded: 1,
    },
  ])("$name", async ({ given, path, built, downloaded }) => {
    for (const prepare of given) await prepare();
    await expect(provide(["saw"])).resolves.toStrictEqual({ saw: path() });
    expect(build.asked).toHaveLength(built);
    expect(download.asked).toHaveLength(downloaded);
  });
});

test("an explicit folder that has only some of what comes together is completed", async () => {
  const hammer = await makeProgram(explicit, "hammer");
  await expect(provide(["anvil", "hammer"])).resolves.toStrictEqual({
    anvil: cached("anvil", "anvil"),
    hammer,
  });
});

test("what comes together is made once, and only what was asked for is made, in the order of the table", async () => {
  await provide(["saw", "hammer", "anvil"]);
  expect(build.asked).toStrictEqual(["anvil", "saw"]);
  await provide(["saw"]);
  expect(build.asked).toStrictEqual(["anvil", "saw"]);
});

test("a program is there before the next one is made", async () => {
  const sawing = Promise.withResolvers<undefined>();
  build.before = async ({ name }) => (name === "saw" ? sawing.promise : undefined);
  const paths = provider().provide(["anvil", "saw"], silentProgress, never);
  await expect(paths.get("anvil")).resolves.toBe(cached("anvil", "anvil"));
  sawing.resolve(undefined);
  await expect(paths.get("saw")).resolves.toBe(cached("saw", "saw"));
});

test("two who ask at once build once", async () => {
  const [first, second] = await Promise.all([provide(["saw"]), provide(["saw"], provider())]);
  expect(first).toStrictEqual(second);
  expect(build.asked).toStrictEqual(["saw"]);
});

test("when nothing is possible the message says what was tried and what to do", async () => {
  build.reason = "Go is not installed";
  download.before = () => Promise.reject(new Error("https://example.com/anvil answered 403"));
  await expect(provide(["hammer"])).rejects.toThrow(
    "anvil 1.2.3 cannot be had here: Go is not installed; https://example.com/anvil answered 403. Install Go or " +
      "provide internet access, or put anvil and hammer into a folder and name it in CONNECTED_REGISTRY_COMPONENTS_DIR.",
  );
});

test("one that cannot be had does not keep the others", async () => {
  const only = (name: string) => async (bundle: { readonly name: string }) =>
    bundle.name === name ? undefined : Promise.reject(new Error("boom"));
  build.before = only("saw");
  download.before = only("saw");
  const paths = provider().provide(["anvil", "saw"], silentProgress, never);
  await expect(paths.get("saw")).resolves.toBe(cached("saw", "saw"));
  await expect(paths.get("anvil")).rejects.toThrow("boom");
});

test("whoever stops is told nothing but that, and nothing more is tried", async () => {
  const stop = new AbortController();
  build.before = async () => {
    stop.abort(new Error("enough"));
    throw new Error("boom");
  };
  const paths = provider().provide(["anvil", "saw"], silentProgress, stop.signal);
  await expect(paths.get("anvil")).rejects.toThrow("enough");
  await expect(paths.get("saw")).rejects.toThrow("enough");
  expect(download.asked).toStrictEqual([]);
});

describe("programs of the operating system", () => {
  test("are taken from where they are", async () => {
    const runc = await makeProgram(system, "runc");
    await expect(provide(["runc"])).resolves.toStrictEqual({ runc });
    expect(installed).toStrictEqual([]);
  });

  test("an explicit folder comes first", async () => {
    await makeProgram(system, "runc");
    const runc = await makeProgram(explicit, "runc");
    await expect(provide(["runc"])).resolves.toStrictEqual({ runc });
  });

  test("are installed together when they are missing", async () => {
    await expect(provide(["runc", "iptables"])).resolves.toStrictEqual({
      runc: join(system, "runc"),
      iptables: join(system, "iptables"),
    });
    expect(installed).toStrictEqual([["iptables", "runc"]]);
  });

  test.each([
    {
      name: "not allowed",
      installer: { ...apt, obstacle: async () => "only root can install packages" },
      why: ": only root can install packages",
    },
    {
      name: "failing",
      installer: { ...apt, install: () => Promise.reject(new Error("no such mirror")) },
      why: ": no such mirror",
    },
    { name: "useless", installer: { ...apt, install: async () => undefined }, why: "" },
  ])("when installing is $name, the packages are named", async ({ installer, why }) => {
    await expect(provide(["conntrack", "busybox"], provider({ installer }))).rejects.toThrow(
      `conntrack and busybox cannot be found${why}. Install busybox-static and conntrack (as Debian calls the ` +
        "packages), or put the programs into a folder and name it in CONNECTED_REGISTRY_COMPONENTS_DIR.",
    );
  });

  test("a busybox that needs a C library is not good enough", async () => {
    await makeProgram(system, "busybox");
    await expect(provide(["busybox"])).rejects.toThrow("busybox cannot be found");
    expect(installed).toStrictEqual([["busybox-static"]]);
  });
});

describe("the environment", () => {
  const environment = { CONNECTED_REGISTRY_COMPONENTS_DIR: "/a:/b", KUBEBUILDER_ASSETS: "/k" };

  test.each([
    { program: "etcd", folders: ["/a", "/b", "/k"] },
    { program: "kube-apiserver", folders: ["/a", "/b", "/k"] },
    { program: "kubelet", folders: ["/a", "/b"] },
    { program: "runc", folders: ["/a", "/b"] },
  ])("names $folders for $program", ({ program, folders }) => {
    expect(explicitFolders(environment, program)).toStrictEqual(folders);
    expect(explicitFolders({}, program)).toStrictEqual([]);
  });

  test("says where caches are", () => {
    expect(cacheFolder({ XDG_CACHE_HOME: "/caches" })).toBe("/caches/connected-registry");
    expect(cacheFolder({})).toMatch(/^\/.*\/\.cache\/connected-registry$/u);
    expect(cacheFolder({ XDG_CACHE_HOME: "relative" })).toBe(cacheFolder({}));
  });
});
