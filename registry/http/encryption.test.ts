import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { CertificateReload, type CertificateInUse } from "./certificate.ts";
import { checkCertificate, ensureCertificate } from "./encryption.ts";
import { OwnCertificate } from "./own-certificate.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { greet, hello, serverOf, start } from "./testing/server.ts";

const day = 86_400;

describe("a certificate of our own", () => {
  let directory: string;
  let clock: ManualClock;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "encryption-"));
    clock = new ManualClock();
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function ensure(hosts: readonly string[] = ["localhost", "127.0.0.1"]): Promise<CertificateInUse> {
    const made = await ensureCertificate({ kind: "selfSigned" }, directory, hosts, clock, silentLog);
    if (made === undefined) throw new Error("no certificate was made");
    return made;
  }

  test("is made once, good for the hosts, and its key is ours alone", async () => {
    const made = await ensure();
    expect((await stat(made.files.key)).mode & 0o777).toBe(0o600);
    expect((await ensure()).current).toEqual(made.current);
    expect((await ensure(["localhost"])).current).toEqual(made.current);
    const server = serverOf(hello, { certificate: made.current });
    const stop = await start(server);
    await expect(greet(server.port(), made.current.cert)).resolves.toBe("hello");
    await stop();
  });

  test("is made anew when it does not name a host under which we listen now", async () => {
    const made = await ensure(["localhost"]);
    const next = await ensure(["localhost", "edge.example", "::1"]);
    expect(next.current.cert).not.toBe(made.current.cert);
    const certificate = new X509Certificate(next.current.cert);
    expect(certificate.checkHost("edge.example")).toBe("edge.example");
    expect(certificate.checkIP("::1")).toBe("::1");
  });

  test("is made anew when a crash left one file without the other", async () => {
    const made = await ensure();
    await rm(made.files.key);
    expect((await ensure()).current.cert).not.toBe(made.current.cert);
    await writeFile(made.files.cert, "");
    await expect(ensure()).resolves.toBeDefined();
  });

  test("is made anew before it expires, while connections go on, and not sooner", async () => {
    const first = await ensure();
    const own = new OwnCertificate(first.files, ["localhost"], clock, silentLog);
    const server = serverOf(hello, { certificate: first.current });
    const reload = new CertificateReload(first, server, clock, silentLog);
    const stop = await start(server);
    await clock.advance(seconds(790 * day));
    await own.renew();
    await reload.check();
    expect(reload.inUse.cert).toBe(first.current.cert);
    await clock.advance(seconds(10 * day));
    await own.renew();
    await reload.check();
    expect(reload.inUse.cert).not.toBe(first.current.cert);
    await stop();
  });

  test("stays in use when no other can be made", async () => {
    const first = await ensure();
    const nowhere = { cert: join(first.files.cert, "tls.crt"), key: join(first.files.cert, "tls.key") };
    const own = new OwnCertificate(nowhere, ["localhost"], clock, silentLog);
    await expect(own.renew()).resolves.toBeUndefined();
    expect((await ensure()).current).toEqual(first.current);
  });

  test("is not made where none is wanted", async () => {
    await expect(
      ensureCertificate({ kind: "none" }, directory, [], clock, silentLog),
    ).resolves.toBeUndefined();
    const files = { kind: "files", cert: join(directory, "x"), key: join(directory, "y") } as const;
    await expect(ensureCertificate(files, directory, [], clock, silentLog)).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  test("that is given is checked beforehand, with the options named", async () => {
    const { files: good } = await ensure();
    await expect(checkCertificate(good)).resolves.toBeUndefined();
    const none = join(directory, "none");
    const junk = join(directory, "junk");
    await writeFile(junk, "junk");
    const other = join(directory, "other");
    await makeSelfSigned({ cert: `${other}.crt`, key: `${other}.key` }, ["localhost"], clock);
    const unread = /^--tls-cert: cannot be read: ENOENT.*; --tls-key: cannot be read: ENOENT/;
    await expect(checkCertificate({ cert: none, key: none })).rejects.toThrow(unread);
    const unusable = `--tls-cert: ${junk} holds no certificate in PEM; --tls-key: ${junk} holds no key`;
    await expect(checkCertificate({ cert: junk, key: junk })).rejects.toThrow(unusable);
    const strange = { cert: good.cert, key: `${other}.key` };
    await expect(checkCertificate(strange)).rejects.toThrow(`--tls-key: ${other}.key is not the key of`);
  });

  test("that nobody replaces is told of once before it expires, and once when it has", async () => {
    const given = await ensure();
    const said: string[] = [];
    const say = (message: string): void => void said.push(message);
    const reload = new CertificateReload(given, { useCertificate: () => undefined }, clock, {
      ...silentLog,
      warn: say,
      error: say,
    });
    const look = async (days: number): Promise<readonly string[]> => {
      await clock.advance(seconds(days * day));
      await reload.check();
      await reload.check();
      return said.splice(0);
    };
    expect(await look(0)).toEqual([]);
    expect(await look(810)).toEqual([]);
    expect(await look(2)).toEqual([expect.stringContaining("expires soon")]);
    expect(await look(14)).toEqual([expect.stringContaining("has expired")]);
    await makeSelfSigned(given.files, ["localhost"], clock);
    expect(await look(0)).toEqual([]);
  });
});
