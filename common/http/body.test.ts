import { Readable } from "node:stream";
import fc from "fast-check";
import { BodyTooLargeError, readBody, readLines } from "./body.ts";

async function linesOf(chunks: readonly string[], limit = 100): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), limit)) {
    lines.push(line);
  }
  return lines;
}

test.each([
  { chunks: ["a\nb\n"], lines: ["a", "b"], because: "two lines may come at once" },
  { chunks: ["a", "b\nc", "\n"], lines: ["ab", "c"], because: "one line may come in parts" },
  { chunks: ["a\n", "b"], lines: ["a", "b"], because: "the last may have no end" },
  { chunks: ["\n\n"], lines: ["", ""], because: "a line may be empty" },
  { chunks: [], lines: [], because: "there may be none" },
])("reads $chunks: $because", async ({ chunks, lines }) => {
  await expect(linesOf(chunks)).resolves.toEqual(lines);
});

test("lines are the same however the bytes come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.stringMatching(/^[ab\n]{0,5}$/)), async (chunks) => {
      const whole = chunks.join("").split("\n");
      if (whole.at(-1) === "") whole.pop();
      await expect(linesOf(chunks)).resolves.toEqual(whole);
    }),
  );
});

test("S04 a line, or a body, without end is cut off", async () => {
  await expect(linesOf(["a".repeat(60), "a".repeat(60)])).rejects.toThrow(BodyTooLargeError);
  const body = Readable.from([Buffer.alloc(60), Buffer.alloc(60)]);
  await expect(readBody(body, 100)).rejects.toThrow(BodyTooLargeError);
  expect(body.destroyed).toBe(true);
});
