import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CertsFolder } from "./certs-folder.ts";
import { desiredHosts, marker, type HostFiles } from "./hosts.ts";

const host = "a.example:443";
const temporary = "ca.crt.0e8c1f5e-3f0c-4a56-9d6a-8a3f1c2b7d10.tmp";

function desired(ca = "first", ...hosts: string[]): ReadonlyMap<string, HostFiles> {
  const entry = { version: 1, hosts: [host, ...hosts], server: "https://10.0.0.1", ca };
  return desiredHosts({ "edge.a": JSON.stringify(entry) }).hosts;
}

describe("CertsFolder", () => {
  let root: string;
  let outside: string;
  let certs: CertsFolder;

  beforeEach(async () => {
    outside = await mkdtemp(join(tmpdir(), "certs-"));
    root = join(outside, "certs.d");
    await mkdir(root);
    certs = new CertsFolder(root);
  });

  afterEach(async () => {
    await rm(outside, { recursive: true });
  });

  /** Every file below the root with its content, and every link with its target. */
  async function seen(): Promise<Readonly<Record<string, string>>> {
    const all: [string, string][] = [];
    for (const path of (await readdir(root, { recursive: true })).sort()) {
      const stat = await lstat(join(root, path));
      if (stat.isSymbolicLink()) all.push([path, `-> ${await readlink(join(root, path))}`]);
      else if (stat.isFile()) all.push([path, await readFile(join(root, path), "utf8")]);
      else all.push([`${path}/`, ""]);
    }
    return Object.fromEntries(all);
  }

  async function put(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(root, path, ".."), { recursive: true });
      await writeFile(join(root, path), content);
    }
  }

  const whole = {
    [`${host}/`]: "",
    [`${host}/ca.crt`]: expect.stringContaining("first") as string,
    [`${host}/hosts.toml`]: expect.stringContaining("https://10.0.0.1") as string,
  };

  test("takes a CA away once nothing names it any more", async () => {
    await certs.reconcile(desired());
    const entry = { version: 2, hosts: [host], server: "http://10.0.0.1:80" };
    const { hosts } = desiredHosts({ "edge.a": JSON.stringify(entry) });
    expect((await certs.reconcile(hosts)).written).toEqual([host]);
    expect(Object.keys(await seen())).toEqual([`${host}/`, `${host}/hosts.toml`]);
    expect((await certs.reconcile(hosts)).written).toEqual([]);
    await certs.reconcile(desired());
    expect(await seen()).toEqual(whole);
  });

  test("writes what is listed, once", async () => {
    expect(await certs.reconcile(desired())).toEqual({ written: [host], removed: [], foreign: [] });
    expect(await seen()).toEqual(whole);
    expect(await certs.reconcile(desired())).toEqual({ written: [], removed: [], foreign: [] });
  });

  test("lets everybody read it, and nobody but root write it", async () => {
    await certs.reconcile(desired());
    expect(((await lstat(join(root, host))).mode & 0o777).toString(8)).toBe("755");
    expect(((await lstat(join(root, host, "hosts.toml"))).mode & 0o777).toString(8)).toBe("644");
  });

  test("replaces a CA that has changed (T93)", async () => {
    await certs.reconcile(desired());
    await certs.reconcile(desired("second"));
    expect(await readFile(join(root, host, "ca.crt"), "utf8")).toContain("second");
  });

  test("removes what is no longer listed, with its folder", async () => {
    await certs.reconcile(desired("first", "b.example"));
    expect(await certs.reconcile(desired())).toEqual({ written: [], removed: ["b.example"], foreign: [] });
    expect(await seen()).toEqual(whole);
  });

  test.each([
    { name: "the folder is made", files: {}, folder: true },
    { name: "the CA is being written", files: { [temporary]: "half" } },
    { name: "the CA is there", files: { "ca.crt": `${marker}\nold` } },
    { name: "hosts.toml is being written", files: { "ca.crt": `${marker}\nold`, [temporary]: "" } },
    {
      name: "the old hosts.toml stands beside the new CA",
      files: { "ca.crt": `${marker}\nfirst`, "hosts.toml": marker },
    },
  ])("completes what a crash left when $name", async ({ files }) => {
    await mkdir(join(root, host));
    await put(Object.fromEntries(Object.entries(files).map(([name, it]) => [`${host}/${name}`, it])));
    await certs.reconcile(desired());
    expect(await seen()).toEqual(whole);
  });

  test.each([
    { name: "hosts.toml was removed", files: { "ca.crt": `${marker}\nold` } },
    { name: "a file was being written", files: { [temporary]: "half" } },
  ])("removes what a crash left when $name", async ({ files }) => {
    await put(Object.fromEntries(Object.entries(files).map(([name, it]) => [`${host}/${name}`, it])));
    await certs.reconcile(new Map());
    expect(await seen()).toEqual({});
  });

  describe("leaves foreign files byte for byte (T94)", () => {
    const elsewhere = {
      "docker.io/hosts.toml": 'server = "https://mirror.example"\n',
      "docker.io/ca.crt": "theirs",
      "_default/hosts.toml": "",
      README: "do not touch\n",
    };

    test("when installing, changing and removing ours", async () => {
      await put(elsewhere);
      const before = await seen();
      await certs.reconcile(desired());
      await certs.reconcile(desired("second"));
      await certs.reconcile(new Map());
      expect(await seen()).toEqual(before);
    });

    test.each([
      { name: "a hosts.toml", files: { [`${host}/hosts.toml`]: "theirs" } },
      { name: "a CA alone", files: { [`${host}/ca.crt`]: "theirs" } },
      { name: "certificates of another name", files: { [`${host}/client.cert`]: "theirs" } },
      { name: "an empty hosts.toml", files: { [`${host}/hosts.toml`]: "" } },
      { name: "a file where the folder should be", files: { [host]: "theirs" } },
    ])("when somebody has configured the host before us: $name", async ({ files }) => {
      await put(files);
      const before = await seen();
      expect(await certs.reconcile(desired())).toEqual({ written: [], removed: [], foreign: [host] });
      await certs.reconcile(new Map());
      expect(await seen()).toEqual(before);
    });

    test.each(["hosts.toml", "ca.crt"])("when somebody has replaced our %s", async (name) => {
      await certs.reconcile(desired());
      await put({ [`${host}/${name}`]: "theirs" });
      const before = await seen();
      expect((await certs.reconcile(desired("second"))).foreign).toEqual([host]);
      expect(await seen()).toEqual(before);
    });

    test("when somebody has added a file to a folder of ours", async () => {
      await certs.reconcile(desired());
      await put({ [`${host}/extra.crt`]: "theirs" });
      expect((await certs.reconcile(desired("second"))).written).toEqual([host]);
      await certs.reconcile(new Map());
      expect(await seen()).toEqual({ [`${host}/`]: "", [`${host}/extra.crt`]: "theirs" });
    });

    test("when a link leads out of the folder", async () => {
      await writeFile(join(outside, "victim"), `${marker}\n`);
      await mkdir(join(outside, "elsewhere"));
      await writeFile(join(outside, "elsewhere/hosts.toml"), marker);
      await symlink(join(outside, "elsewhere"), join(root, host));
      await mkdir(join(root, "b.example"));
      await symlink(join(outside, "victim"), join(root, "b.example/hosts.toml"));
      const before = await seen();
      expect((await certs.reconcile(desired("first", "b.example"))).foreign).toEqual([host, "b.example"]);
      await certs.reconcile(new Map());
      expect(await seen()).toEqual(before);
      expect(await readFile(join(outside, "victim"), "utf8")).toBe(`${marker}\n`);
      expect(await readdir(join(outside, "elsewhere"))).toEqual(["hosts.toml"]);
    });
  });

  test("says so when the folder is not there", async () => {
    await rm(root, { recursive: true });
    await expect(certs.reconcile(desired())).rejects.toMatchObject({ code: "ENOENT" });
  });
});
