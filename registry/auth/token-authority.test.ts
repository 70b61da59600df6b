import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { ClientTokens } from "./client-tokens.ts";
import { InvalidKeyError, loadSigningKey } from "./signing-key.ts";
import { TokenAuthority } from "./token-authority.ts";

const secret = new Uint8Array(32).fill(7);
const clock = new ManualClock();
const now = clock.now().toUnixInteger();
const ours = "connected-registry/test";
const good: JWTPayload = { scopes: [], iss: ours, aud: ours, iat: now, nbf: now, exp: now + 60 };

async function authority(): Promise<TokenAuthority> {
  return TokenAuthority.create(new ClientTokens(clock, ["content/read"]), clock, { secret, id: "test" });
}

const signed = (claims: JWTPayload, alg = "HS256"): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(alg === "HS512" ? new Uint8Array(64).fill(7) : secret);

describe("a bearer token", () => {
  test("that we signed is taken", async () => {
    await expect((await authority()).verify(await signed(good))).resolves.toEqual({
      principal: { kind: "anonymous" },
      grant: { repositories: [], catalog: false },
      from: now - 30,
      until: now + 90,
    });
  });

  test.each([
    { because: "another issuer made it", claims: { ...good, iss: "connected-registry/other" } },
    { because: "it is for another audience", claims: { ...good, aud: "other" } },
    { because: "it has no issuer", claims: { ...good, iss: undefined } },
    { because: "it has no end", claims: { ...good, exp: undefined } },
    { because: "it is over", claims: { ...good, exp: now - 31 } },
    { because: "it has no beginning", claims: { ...good, nbf: undefined } },
    { because: "it begins later", claims: { ...good, nbf: now + 31 } },
    { because: "it does not say when it was issued", claims: { ...good, iat: undefined } },
    { because: "it carries nothing that we know", claims: { ...good, scopes: undefined } },
    { because: "its user is unknown", claims: { ...good, sub: "nobody", credential: "x" } },
    { because: "its user is an empty name", claims: { ...good, sub: "" } },
  ])("S26 is refused when $because", async ({ claims }) => {
    const token = await signed(JSON.parse(JSON.stringify(claims)) as JWTPayload);
    await expect((await authority()).verify(token)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  test("S26 is refused with any other algorithm", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const tokens = [
      new UnsecuredJWT(good).encode(),
      await signed(good, "HS512"),
      await new SignJWT(good).setProtectedHeader({ alg: "ES256" }).sign(privateKey),
    ];
    for (const token of tokens) {
      await expect((await authority()).verify(token)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    }
  });
});

describe("the signing key", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "key-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const random = (size: number): Uint8Array => new Uint8Array(size).fill(9);

  test("is made once, for us alone, and kept", async () => {
    const path = join(directory, "auth", "token.key");
    const made = await loadSigningKey(path, random);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(loadSigningKey(path, () => new Uint8Array(1))).resolves.toEqual(made);
    expect(made.id).not.toContain(Buffer.from(made.secret).toString("hex").slice(0, 8));
  });

  test("is closed to others when it was open, and refused when it is none", async () => {
    const path = join(directory, "token.key");
    await writeFile(path, Buffer.alloc(32, 1), { mode: 0o644 });
    await loadSigningKey(path, random);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFile(path, "short");
    await expect(loadSigningKey(path, random)).rejects.toMatchObject({ name: InvalidKeyError.name });
    await expect(readFile(path, "utf8")).resolves.toBe("short");
  });
});
