import type { ClientTokenSettings } from "../../common/contract/config.ts";
import { hashPassword, type PasswordAlgorithm } from "../../common/contract/password.ts";
import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { FailedAttempts } from "./attempts.ts";
import { ClientTokens } from "./client-tokens.ts";
import { Logins } from "./logins.ts";

const salt = "ab".repeat(16);
type Slot = readonly [PasswordAlgorithm, string];
const generated = (password: string): Slot => ["sha256", password];
const brought = (password: string): Slot => ["scrypt", password];

function token(
  name: string,
  slots: readonly Slot[],
  change: Partial<ClientTokenSettings> = {},
): ClientTokenSettings {
  return {
    version: 1,
    name,
    status: "enabled",
    actions: ["repositories/*/content/read"],
    passwords: slots.map(([algorithm, password], i) => ({
      name: i === 0 ? "password1" : "password2",
      algorithm,
      salt,
      // The slow hash of these tests is the same function: what it costs is counted.
      hash: hashPassword(password, salt),
    })),
    ...change,
  };
}

let clock: ManualClock;
let tokens: ClientTokens;
let logins: Logins;
/** How many slow hashes were computed. */
let slow: number;

beforeEach(() => {
  clock = new ManualClock();
  tokens = new ClientTokens(clock, []);
  slow = 0;
  logins = new Logins({
    tokens,
    attempts: new FailedAttempts(clock),
    hash: async (password, salt) => {
      slow++;
      return Promise.resolve(hashPassword(password, salt));
    },
    random: (size) => new Uint8Array(size).fill(1),
  });
});

async function outcome(user: string, password: string, address = "10.0.0.1"): Promise<string> {
  try {
    const principal = await logins.authenticate({ user, password, address });
    return principal.kind === "client" ? principal.name : principal.kind;
  } catch (error) {
    return "code" in (error as object) ? (error as { code: string }).code : (error as Error).name;
  }
}

test.each([
  { because: "the first password is right", user: "a", password: "one", is: "a" },
  { because: "the second is", user: "a", password: "two", is: "a" },
  { because: "a brought one is", user: "b", password: "mine", is: "b" },
  { because: "it is wrong", user: "a", password: "three", is: "UNAUTHORIZED" },
  { because: "it is somebody else's", user: "a", password: "mine", is: "UNAUTHORIZED" },
  { because: "it is empty", user: "a", password: "", is: "UNAUTHORIZED" },
  { because: "S29 the token has no password", user: "none", password: "", is: "UNAUTHORIZED" },
  { because: "S29 the name is empty", user: "", password: "", is: "UNAUTHORIZED" },
  { because: "S29 the name is that of nobody", user: "anonymous", password: "", is: "UNAUTHORIZED" },
  { because: "S29 the name is one of the language", user: "__proto__", password: "one", is: "UNAUTHORIZED" },
  { because: "S29 the name differs in case", user: "A", password: "one", is: "UNAUTHORIZED" },
  { because: "S29 the name only begins alike", user: "a\0", password: "one", is: "UNAUTHORIZED" },
  { because: "it is the hash itself", user: "a", password: hashPassword("one", salt), is: "UNAUTHORIZED" },
  { because: "the token is disabled", user: "off", password: "one", is: "UNAUTHORIZED" },
  { because: "the brought one's token is disabled", user: "off", password: "mine", is: "UNAUTHORIZED" },
])("a login is $is when $because", async ({ user, password, is }) => {
  tokens.replace([
    token("a", [generated("one"), generated("two")]),
    token("b", [generated("one"), brought("mine")]),
    token("none", []),
    token("off", [generated("one"), brought("mine")], { status: "disabled" }),
  ]);
  expect(await outcome(user, password)).toBe(is);
});

test.each([
  { user: "nobody", because: "it is unknown" },
  { user: "generated", because: "it has a generated password" },
  { user: "brought", because: "it has brought ones" },
  { user: "none", because: "it has none" },
  { user: "off", because: "it is disabled" },
])("S33 a failed login of a user costs the same work although $because", async ({ user }) => {
  tokens.replace([
    token("generated", [generated("one")]),
    token("brought", [brought("mine"), brought("other")]),
    token("none", []),
    token("off", [brought("mine")], { status: "disabled" }),
  ]);
  expect(await outcome(user, "wrong")).toBe("UNAUTHORIZED");
  expect(slow).toBe(2);
});

test("where nobody brought a password no slow hash is computed", async () => {
  tokens.replace([token("a", [generated("one")])]);
  expect(await outcome("a", "wrong")).toBe("UNAUTHORIZED");
  expect(slow).toBe(0);
});

test("a brought password is paid for once, as long as its token stays as it is", async () => {
  const a = token("a", [brought("mine")]);
  tokens.replace([a]);
  for (let time = 0; time < 5; time++) expect(await outcome("a", "mine")).toBe("a");
  expect(slow).toBe(1);
  tokens.replace([token("a", [brought("mine")]), token("b", [])]);
  expect(await outcome("a", "mine")).toBe("a");
  expect(slow).toBe(1);
  tokens.replace([{ ...a, actions: [] }]);
  expect(await outcome("a", "mine")).toBe("a");
  expect(slow).toBe(2);
  tokens.replace([token("a", [brought("next")])]);
  expect(await outcome("a", "mine")).toBe("UNAUTHORIZED");
  expect(await outcome("a", "next")).toBe("a");
});

test("S28 a token that changes while a slow hash is computed does not let in who had it before", async () => {
  tokens.replace([token("a", [brought("mine")])]);
  const login = outcome("a", "mine");
  tokens.replace([token("a", [brought("next")])]);
  expect(await login).toBe("UNAUTHORIZED");
});

test("a password ends at its expiry, also one that was right before", async () => {
  const { passwords, ...rest } = token("a", [brought("mine"), generated("one")]);
  const expiry = clock.now().plus({ seconds: 10 }).toISO();
  tokens.replace([{ ...rest, passwords: passwords.map((each) => ({ ...each, expiry })) }]);
  expect([await outcome("a", "mine"), await outcome("a", "one")]).toEqual(["a", "a"]);
  await clock.advance(seconds(10));
  expect([await outcome("a", "mine"), await outcome("a", "one")]).toEqual(["UNAUTHORIZED", "UNAUTHORIZED"]);
});

describe("after many failures of a user from an address", () => {
  beforeEach(async () => {
    tokens.replace([
      token("a", [generated("long one"), brought("mine")]),
      token("b", [brought("known")]),
      token("c", [brought("new")]),
    ]);
    expect(await outcome("b", "known")).toBe("b");
    for (const user of ["a", "b", "nobody"]) {
      for (let time = 0; time < 10; time++) expect(await outcome(user, "guess")).toBe("UNAUTHORIZED");
    }
    slow = 0;
  });

  test.each([
    { because: "it fails again", user: "a", password: "guess", is: "TooManyAttemptsError" },
    { because: "S33 the user is unknown", user: "nobody", password: "guess", is: "TooManyAttemptsError" },
    { because: "the password is a generated one", user: "a", password: "long one", is: "a" },
    { because: "the password was right before", user: "b", password: "known", is: "b" },
    { because: "the password could be guessed", user: "a", password: "mine", is: "TooManyAttemptsError" },
  ])("an attempt is $is when $because, and computes no slow hash", async ({ user, password, is }) => {
    expect(await outcome(user, password)).toBe(is);
    expect(slow).toBe(0);
  });

  test("others behind the address, and the user elsewhere, log in as ever", async () => {
    expect(await outcome("c", "new")).toBe("c");
    expect(await outcome("a", "mine", "10.0.0.2")).toBe("a");
  });

  test("a brought password is looked at again after a while", async () => {
    await clock.advance(seconds(1));
    expect(await outcome("a", "mine")).toBe("a");
  });
});

test("a flood of wrong passwords computes one slow hash at a time, and keeps no generated password waiting", async () => {
  tokens.replace([token("a", [generated("long one")]), token("b", [brought("mine")])]);
  let release = (): void => undefined;
  let running = 0;
  logins = new Logins({
    tokens,
    attempts: new FailedAttempts(clock),
    hash: () => {
      running++;
      return new Promise((resolve) => {
        release = () => {
          running--;
          resolve("00".repeat(32));
        };
      });
    },
    random: (size) => new Uint8Array(size),
  });
  const flood = Array.from({ length: 1000 }, (_, i) =>
    outcome(`user-${i}`, "guess", `10.0.${i >> 8}.${i & 255}`),
  );
  expect(await outcome("a", "long one")).toBe("a");
  expect(running).toBe(1);
  const outcomes: string[] = [];
  const done = Promise.all(flood.map(async (each) => outcomes.push(await each)));
  for (let turn = 0; outcomes.length < 1000; turn++) {
    expect(running).toBeLessThanOrEqual(1);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(turn).toBeLessThan(200);
  }
  await done;
  expect(outcomes.filter((each) => each === "TooManyAttemptsError")).toHaveLength(1000 - 32);
});
