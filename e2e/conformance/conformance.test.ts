import { readFile, writeFile } from "node:fs/promises";
import { families } from "../../registry/content/testing/images.ts";
import { registryModes } from "../../common/contract/config.ts";
import { renderRequirements } from "./render.ts";
import { sections } from "./sections.ts";
import { RefusedWrite, Subject } from "./subject.ts";

const document = new URL("../../docs/reference/conformance.md", import.meta.url);

describe.each(registryModes)("a %s registry", (mode) => {
  describe.each(families)("with $family manifests", (family) => {
    let registry: Subject;

    beforeEach(async () => {
      registry = await Subject.open(family, mode);
    });

    afterEach(async () => {
      await registry.loopback.close();
    });

    describe.each(sections)("$title", ({ requirements }) => {
      test.each(requirements)("$id: $says", async ({ kind, check }) => {
        const refused = await outcome(() => check(registry));
        expect(refused).toBe(mode === "ReadOnly" && kind === "write");
      });
    });
  });
});

/** Whether a write was refused as it must be where everything is for reading. */
async function outcome(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return false;
  } catch (error) {
    if (error instanceof RefusedWrite) return true;
    throw error;
  }
}

test("each requirement has an id of its own", () => {
  const ids = sections.flatMap(({ requirements }) => requirements.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
});

test("docs/reference/conformance.md lists what is checked (UPDATE_DOCS=1 writes it)", async () => {
  const expected = renderRequirements(sections);
  if (process.env.UPDATE_DOCS === "1") await writeFile(document, expected);
  expect(await readFile(document, "utf8")).toBe(expected);
});
