import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadAll } from "js-yaml";
import type { KubeObject } from "../operator/runtime/kube.ts";
import { reasons } from "../operator/status/reasons.ts";
import type { Schema } from "./schema.ts";
import { samples } from "./testing/samples.ts";
import { defaulted, faultsOf, schemas } from "./testing/structural.ts";
import { typescriptOf } from "./typescript.ts";

const documents = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(join(import.meta.dirname, name), "utf8") }));

/** Every schema in `schema`, with its path. */
function* everySchema(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  yield [path, schema];
  for (const [name, field] of Object.entries(schema.properties ?? {}))
    yield* everySchema(field, `${path}.${name}`);
  if (schema.items !== undefined) yield* everySchema(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) yield* everySchema(schema.additionalProperties, `${path}.*`);
}

const fields = [...schemas].flatMap(([kind, schema]) => [...everySchema(schema, kind)]);

describe("the schemas", () => {
  it("explain every field", () => {
    const given = /\.(apiVersion|kind|metadata)$|\[\]$|\.\*$/;
    const silent = fields.filter(
      ([path, { description }]) => !given.test(path) && !/[.]$/.test(description ?? ""),
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it("bound every list, map and text that somebody writes, a registry that went astray included", () => {
    const unbounded = fields.filter(
      ([path, schema]) =>
        /\.(spec|status)/.test(path) &&
        ((schema.type === "array" && schema.maxItems === undefined) ||
          (schema.additionalProperties !== undefined && schema.maxProperties === undefined) ||
          (schema.type === "string" && schema.maxLength === undefined && !schema.enum && !schema.format)),
    );
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  it("say how lists merge", () => {
    const unsaid = fields.filter(
      ([, schema]) => schema.type === "array" && !schema["x-kubernetes-list-type"],
    );
    expect(unsaid.map(([path]) => path)).toEqual([]);
  });

  it("have defaults that they allow themselves", () => {
    for (const [path, schema] of fields.filter(([, { default: value }]) => value !== undefined)) {
      expect([path, faultsOf(schema, defaulted(schema, schema.default))]).toEqual([path, []]);
    }
  });
});

describe("what we give people to copy", () => {
  const blocks = documents.flatMap(({ name, text }) =>
    [...text.matchAll(/```yaml\n(.*?)```/gs)]
      .flatMap(([, yaml = ""]) => loadAll(yaml) as KubeObject[])
      .map((object) => ({ where: name, object })),
  );
  const all = [...samples.map((object) => ({ where: "manifests/samples", object })), ...blocks];

  it.each(all.filter(({ object }) => schemas.has(object.kind)))(
    "is valid: $object.kind $object.metadata.name in $where",
    ({ object }) => {
      expect(faultsOf(schemas.get(object.kind)!, object)).toEqual([]);
    },
  );

  it("has an example of each kind in both places", () => {
    for (const place of [samples, blocks.map(({ object }) => object)]) {
      expect(place.map(({ kind }) => kind)).toEqual(expect.arrayContaining([...schemas.keys()]));
    }
  });
});

describe("the document of each kind", () => {
  it.each([...schemas.keys()])(
    "lists the reasons that a %s gives, with their remedies, and no other",
    (kind) => {
      const text = documents.find(({ name }) => name === `${kind.toLowerCase()}.md`)?.text ?? "";
      const listed = [...text.matchAll(/^\| `([A-Z]\w+)` +\| (\w+) +\| (.*?) +\|$/gm)].map((row) =>
        row.slice(1),
      );
      const given = Object.entries(reasons)
        .filter(([, { kinds }]) => (kinds as readonly string[]).includes(kind))
        .map(([reason, { condition, remedy }]) => [reason, condition, remedy === "" ? "Nothing." : remedy]);
      expect(listed).toEqual(given);
    },
  );

  it.each([...schemas])("names every field of the spec of a %s", (kind, schema) => {
    const text = documents.find(({ name }) => name === `${kind.toLowerCase()}.md`)?.text ?? "";
    const names = Object.keys(schema.properties?.spec?.properties ?? {});
    expect(names.filter((name) => !text.includes(`\`.spec.${name}`))).toEqual([]);
  });
});

describe("the generator", () => {
  it("makes an optional field with a default a sure one, and a rule with values a union", () => {
    const text = typescriptOf({
      spec: {
        group: "example.io",
        scope: "Cluster",
        names: { kind: "Thing", plural: "things" },
        versions: [
          {
            name: "v1",
            schema: {
              openAPIV3Schema: {
                type: "object",
                description: "A thing, such as apps/* or */apps.",
                properties: {
                  spec: {
                    type: "object",
                    required: ["size"],
                    properties: {
                      size: { type: "integer", description: "How big." },
                      mode: {
                        type: "string",
                        default: "On",
                        "x-kubernetes-validations": [{ rule: "self in ['On', 'Off']" }],
                      },
                      tags: { type: "array", items: { type: "string", enum: ["a", "b"] } },
                      labels: { type: "object", additionalProperties: { type: "string" } },
                    },
                  },
                },
              },
            },
          },
        ],
      },
    });
    expect(text).toContain("  /** How big. */\n  readonly size: number;");
    expect(text).toContain('readonly mode: "On" | "Off";');
    expect(text).toContain('readonly tags?: readonly ("a" | "b")[];');
    expect(text).toContain("readonly labels?: Readonly<Record<string, string>>;");
    expect(text).toContain("/** A thing, such as apps/* or *\\/apps. */");
    expect(text).toContain("namespaced: false");
  });

  it("has been run", async () => {
    const run = promisify(execFile)(process.execPath, [join(import.meta.dirname, "generate.ts"), "--verify"]);
    await expect(run).resolves.toMatchObject({ stderr: "" });
  });
});
