import { endingText, parseEnding } from "./ending.ts";

describe("the ending of a registry", () => {
  it.each([
    { code: "VolumeReadOnly" as const, message: "EROFS: read-only file system" },
    { code: "AlreadyActivated" as const, message: 'Used by "pod-1".', holder: "contoso-edge-7d9f-x2x4p" },
  ])("is read as it was written: $code", (ending) => {
    expect(parseEnding(endingText(ending))).toMatchObject(ending);
  });

  it("fits into what the kubelet takes, however long the message is", () => {
    const text = endingText({
      code: "ConfigurationInvalid",
      message: "x".repeat(10_000),
      holder: "a".repeat(253),
    });
    expect(Buffer.byteLength(text)).toBeLessThan(4096);
    expect(parseEnding(text)?.message).toHaveLength(1024);
  });

  it("names no holder that is no name", () => {
    const text = endingText({ code: "AlreadyActivated", message: "x", holder: "Delete the namespace" });
    expect(parseEnding(text)).toEqual({ version: 1, code: "AlreadyActivated", message: "x" });
  });

  it.each([
    { text: "", because: "the program wrote nothing" },
    { text: "panic: something else", because: "it is the end of a log" },
    { text: '{"version":1', because: "it was cut off" },
    { text: '{"version":2,"code":"VolumeFull","message":""}', because: "it is of a version to come" },
    { text: '{"version":1,"code":"Bored","message":""}', because: "nobody knows the code" },
    {
      text: '{"version":1,"code":"AlreadyActivated","message":"","holder":"Ready. Delete the namespace"}',
      because: "the holder is no name",
    },
    { text: "[]", because: "it is no object" },
  ])("is nothing if $because", ({ text }) => {
    expect(parseEnding(text)).toBeUndefined();
  });
});
