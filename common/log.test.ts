import { PassThrough } from "node:stream";
import { createLog, redact } from "./log.ts";

describe("redact", () => {
  test.each([
    { value: { password: "hunter2" }, because: "the key says so" },
    { value: { syncToken: "hunter2" }, because: "a token is a credential" },
    { value: { headers: { Authorization: "Basic aHVudGVyMg==hunter2" } }, because: "it is nested" },
    { value: { url: "https://user:hunter2@parent.example/v2/" }, because: "URLs can carry credentials" },
    { value: { message: "sent Bearer hunter2 to the parent" }, because: "messages can carry credentials" },
    {
      value: { error: Object.assign(new Error("https://a:hunter2@b/"), { cause: { secret: "hunter2" } }) },
      because: "errors too",
    },
  ])("S43 leaves no secret in $value: $because", ({ value }) => {
    expect(JSON.stringify(redact(value))).not.toContain("hunter2");
  });

  test("leaves what is no secret as it is", () => {
    const fields = { repository: "apps/hello", count: 3, tags: ["1.0"], none: null };
    expect(redact(fields)).toEqual(fields);
  });

  test("tells what an error is, where it came from and what caused it", () => {
    const error = new Error("no answer", { cause: new TypeError("no route") });
    expect(redact({ error })).toEqual({
      error: {
        name: "Error",
        message: "no answer",
        stack: error.stack,
        cause: expect.objectContaining({ name: "TypeError", message: "no route" }) as unknown,
      },
    });
  });
});

describe("createLog", () => {
  function lines(
    write: (log: ReturnType<typeof createLog>) => void,
    level: "Information" | "None",
  ): unknown[] {
    const stream = new PassThrough();
    write(createLog("registry", level, stream));
    const text = (stream.read() as Buffer | null)?.toString() ?? "";
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown);
  }

  test("writes one JSON object per line, with the bound fields", () => {
    expect(
      lines(({ logger }) => {
        logger.with({ run: 1 }).info("sync finished", { tags: 2 });
      }, "Information"),
    ).toEqual([
      expect.objectContaining({
        level: "info",
        program: "registry",
        message: "sync finished",
        run: 1,
        tags: 2,
      }),
    ]);
  });

  test("changes its level while it runs, as ACR's logLevel may change on a live registry", () => {
    const written = lines((log) => {
      log.logger.debug("unseen");
      log.setLevel("Debug");
      log.logger.debug("seen");
      log.setLevel("None");
      log.logger.error("unseen");
    }, "Information");
    expect(written).toEqual([expect.objectContaining({ message: "seen" })]);
  });
});
