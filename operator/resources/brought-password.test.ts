import type { Secret } from "../api/kubernetes.ts";
import { StalledError, WaitingError } from "../status/errors.ts";
import { broughtHashOf, broughtPassword } from "./brought-password.ts";

const reference = { name: "mine", key: "password" };

function secret(data: Readonly<Record<string, Buffer | string>>): Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "mine", namespace: "edge" },
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    ),
  };
}

function refusal(given: Secret | undefined): Error | undefined {
  try {
    broughtPassword("password1", reference, given);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe("a password that a person brought", () => {
  it.each([
    { password: "a".repeat(12), because: "the shortest" },
    { password: "a".repeat(256), because: "the longest" },
    { password: "pass phrase: früh äöü 🔑", because: "any character that can be printed" },
  ])("is taken as it is: $because", ({ password }) => {
    expect(broughtPassword("password1", reference, secret({ password }))).toBe(password);
  });

  it.each([
    { data: {}, says: 'The key "password" of the Secret "mine" is missing.' },
    { data: { password: "a".repeat(11) }, says: "is too short" },
    { data: { password: "a".repeat(257) }, says: "is too long" },
    { data: { password: "a-long-password\n" }, says: "ends with a line end" },
    { data: { password: "a-long\tpassword" }, says: "cannot be printed" },
    { data: { password: Buffer.from([...Buffer.from("a-long-password"), 0xff]) }, says: "cannot be printed" },
  ])("is refused: $says", ({ data, says }) => {
    const error = refusal(secret(data));
    expect(error).toBeInstanceOf(StalledError);
    expect(error?.message).toContain(says);
  });

  it("S43 is not in what is said of it", () => {
    expect(refusal(secret({ password: "hunter2" }))?.message).not.toContain("hunter2");
  });

  it("is waited for", () => {
    expect(refusal(undefined)).toBeInstanceOf(WaitingError);
  });
});

test.each([
  { text: undefined, is: undefined },
  { text: "", is: undefined },
  { text: "{", is: "unreadable" },
  {
    text: JSON.stringify({ algorithm: "sha256", salt: "00".repeat(16), hash: "00".repeat(32) }),
    is: "unreadable",
  },
  { text: JSON.stringify({ algorithm: "scrypt", salt: "", hash: "00".repeat(32) }), is: "unreadable" },
])("a hash that was kept as $text is $is", ({ text, is }) => {
  const data: Readonly<Record<string, string>> = text === undefined ? {} : { "password1.hash": text };
  expect(broughtHashOf(secret(data), "password1")).toBe(is);
});
