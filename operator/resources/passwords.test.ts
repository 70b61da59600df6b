import { ManualClock } from "../../common/testing/manual-clock.ts";
import { defaulted, schemas } from "../../crds/testing/structural.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import {
  passwordTimes,
  plannedPasswords,
  rotationRequest,
  usablePassword,
  type Password,
  type Passwords,
} from "./passwords.ts";

const now = new ManualClock("2026-11-21T08:00:00Z").now();
const old = "2026-11-20T08:00:00Z";
const young = "2026-11-21T07:59:50Z";
const soon = "2026-11-21T09:00:00Z";
const later = "2026-11-21T10:00:00Z";
const past = "2026-11-21T07:00:00Z";
const hash = { algorithm: "scrypt", salt: "00".repeat(16), hash: "00".repeat(32) } as const;

const made = (value: string, creationTime: string, more: Partial<Password> = {}): Password => ({
  value,
  creationTime,
  ...more,
});

function token(passwords: object = {}, annotations: Readonly<Record<string, string>> = {}): ClientToken {
  return defaulted(schemas.get("ClientToken")!, {
    apiVersion: "connectedregistry.io/v1alpha1",
    kind: "ClientToken",
    metadata: { name: "edge-puller", namespace: "edge", annotations },
    spec: { passwords },
  }) as ClientToken;
}

const rotate1 = { "connectedregistry.io/rotate-password1": "r2" };
const rotateBoth = { ...rotate1, "connectedregistry.io/rotate-password2": "r2" };
const both = { password1: made("one", old), password2: made("two", old) };

describe("the password of pull secrets", () => {
  it.each<{ expiries: object; held: Passwords; usable: string | undefined; because: string }>([
    { expiries: {}, held: both, usable: "password1", because: "equals are taken in their order" },
    {
      expiries: {},
      held: { ...both, password1: made("new", "2026-11-21T07:00:00Z") },
      usable: "password2",
      because: "of equals the older one is known to every client",
    },
    {
      expiries: { password1: { expiry: soon }, password2: { expiry: later } },
      held: both,
      usable: "password2",
      because: "it works longest",
    },
    {
      expiries: { password2: { expiry: soon } },
      held: { ...both, password1: made("new", young) },
      usable: "password2",
      because: "the one that works longest is so new that registries may not know it",
    },
    {
      expiries: { password2: { expiry: past } },
      held: { ...both, password1: made("new", young) },
      usable: "password1",
      because: "the other has expired, however new this one is",
    },
    {
      expiries: { password1: { expiry: past }, password2: { expiry: past } },
      held: both,
      usable: undefined,
      because: "both have expired",
    },
    { expiries: {}, held: {}, usable: undefined, because: "there is none" },
  ])("is $usable: $because", ({ expiries, held, usable }) => {
    expect(usablePassword(token(expiries), held, now)).toBe(usable);
  });
});

describe("the passwords that a token is to have", () => {
  const random = (): Buffer => Buffer.from("random");
  const fresh = random().toString("base64url");
  const plan = (of: ClientToken, held: Passwords, brought = {}): Passwords =>
    plannedPasswords(of, held, brought, random, now);

  it.each<{ of: ClientToken; held: Passwords; values: readonly (string | undefined)[]; because: string }>([
    { of: token(), held: both, values: ["one", "two"], because: "nothing was asked" },
    { of: token(), held: {}, values: [fresh, fresh], because: "there are none yet" },
    {
      of: token({}, rotate1),
      held: both,
      values: [fresh, "two"],
      because: "it was asked to replace the first",
    },
    {
      of: token({}, rotate1),
      held: { ...both, password1: made("one", old, { rotated: "r2" }) },
      values: ["one", "two"],
      because: "this request was met",
    },
    {
      of: token({}, rotate1),
      held: { ...both, password2: made("two", young) },
      values: ["one", "two"],
      because: "registries may not know the other one yet",
    },
    {
      of: token({}, rotateBoth),
      held: both,
      values: [fresh, "two"],
      because: "both were asked for at once, and one of them must be known",
    },
    {
      of: token({ password2: { enabled: false } }, rotate1),
      held: { password1: made("one", young) },
      values: [fresh, undefined],
      because: "there is no other that it could wait for",
    },
    {
      of: token({ password2: { secretRef: { name: "mine" } } }),
      held: both,
      values: ["one", "two"],
      because: "the Secret cannot be read, so all stays as it is",
    },
    {
      of: token(),
      held: { ...both, password2: made("hunter2hunter2", old, { hash }) },
      values: ["one", fresh],
      because: "S31 what a person brought is never kept as if it were generated",
    },
  ])("$because", ({ of, held, values }) => {
    const { password1, password2 } = plan(of, held);
    expect([password1?.value, password2?.value]).toEqual(values);
  });

  it("are those that were brought, with the time at which they changed", () => {
    const of = token({ password1: { secretRef: { name: "mine" } } });
    const password1 = { value: "a-password-of-mine", hash };
    const first = plan(of, both, { password1 });
    expect(first.password1).toEqual({ ...password1, creationTime: "2026-11-21T08:00:00Z" });
    const held = { ...first, password1: { ...password1, creationTime: old } };
    expect(plan(of, held, { password1 })).toEqual(held);
  });

  it("remember the request that they were made with", () => {
    expect(plan(token({}, rotateBoth), {})).toMatchObject({
      password1: { rotated: "r2", creationTime: "2026-11-21T08:00:00Z" },
      password2: { rotated: "r2" },
    });
  });
});

test("of a request that is too long, what is kept is what comes back from the API server", () => {
  const of = token({}, { "connectedregistry.io/rotate-password1": `${"r".repeat(255)}🔑 and so on` });
  expect(rotationRequest(of, "password1")).toBe(`${"r".repeat(255)}\uFFFD`);
});

test("what is said of passwords is said anew when one settles, and when one expires", () => {
  const held = { password1: made("one", young), password2: made("two", old) };
  const times = passwordTimes(token({ password1: { expiry: past }, password2: { expiry: soon } }), held, now);
  expect(times.map((time) => new Date(time).toISOString())).toEqual([
    "2026-11-21T08:00:20.000Z",
    "2026-11-21T09:00:00.000Z",
  ]);
});
