import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { digestOf, InvalidDigestError, parseDigest, verify } from "./digest.ts";

const hex = "a".repeat(64);

describe("parseDigest", () => {
  test.each([
    { text: `sha256:${hex}`, because: "sha256 is the specification's own" },
    { text: `sha512:${hex}${hex}`, because: "sha512 stands beside it" },
  ])("takes $text: $because", ({ text }) => {
    expect(parseDigest(text)).toBe(text);
  });

  test.each([
    { text: hex, because: "there is no algorithm" },
    { text: `md5:${hex}`, because: "the algorithm is unknown" },
    { text: `sha256:${"A".repeat(64)}`, because: "upper case would be a second name of the same content" },
    { text: "sha256:abc", because: "it is too short" },
    { text: `sha512:${hex}`, because: "the length is that of another algorithm" },
    { text: "sha256:../../x", because: "it would be a path" },
    { text: `sha256:${hex}:x`, because: "something follows" },
  ])("S12 refuses $text: $because", ({ text }) => {
    expect(() => parseDigest(text)).toThrow(InvalidDigestError);
  });
});

describe("verify", () => {
  const expected = { digest: digestOf("hello"), size: 5 };

  test("passes the bytes that are claimed", async () => {
    await expect(buffer(Readable.from([Buffer.from("hello")]).pipe(verify(expected)))).resolves.toEqual(
      Buffer.from("hello"),
    );
  });

  test.each([
    { bytes: "hell", because: "the stream ended early" },
    { bytes: "hellp", because: "a byte flipped" },
    { bytes: "hello!", because: "there is more than was claimed" },
  ])("T32 fails on $bytes: $because", async ({ bytes }) => {
    await expect(buffer(Readable.from([Buffer.from(bytes)]).pipe(verify(expected)))).rejects.toThrow(
      "expected",
    );
  });
});
