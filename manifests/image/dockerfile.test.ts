import { readFile } from "node:fs/promises";
import { command } from "./app-layer.ts";
import { nonroot } from "./base-layer.ts";
import { environment, nodeOptions } from "./image-index.ts";

const lines = (await readFile(new URL("../../Dockerfile", import.meta.url), "utf8"))
  .replaceAll(/\\\n\s*/g, "")
  .split("\n");

/** What the last `instruction` of the Dockerfile says. */
function said(instruction: string): string | undefined {
  return lines.findLast((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1);
}

test.each([
  { instruction: "ENV", expected: environment.join(" ") },
  { instruction: "USER", expected: `${nonroot}:${nonroot}` },
  { instruction: "ENTRYPOINT", expected: ["/usr/bin/node", ...nodeOptions, `/${command}`] },
  { instruction: "CMD", expected: ["--help"] },
])(
  "the Dockerfile's image runs as the one that is built without it: $instruction",
  ({ instruction, expected }) => {
    const text = said(instruction) ?? "";

    expect(typeof expected === "string" ? text : JSON.parse(text)).toEqual(expected);
  },
);
