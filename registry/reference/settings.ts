import * as z from "zod/mini";
import { documentSchema } from "../configuration/document-faults.ts";
import { environmentName, optionGroups, serveOptions } from "../configuration/options.ts";
import { tableOf } from "./table.ts";

/** A settings document as the reference shows one. A test reads it. */
export const exampleDocument = `version: 1
name: edge
mode: ReadOnly
parent:
  loginServer: registry.example.com
  credentials: { username: edge, password: from-the-parent }
sync:
  repositories:
    - name: apps/**
      tags: { include: ["1.*"] }
      platforms: [linux/arm64]
  schedule: 0 2 * * *
  window: PT4H
  timeZone: Europe/Berlin
  limits:
    bytesPerSecond: 4000000
    windows: [{ from: "07:00", to: "19:00", bytesPerSecond: 250000 }]
    quota: { bytes: 50000000000, period: Month }
storageQuotaBytes: 500000000000
retention:
  - repositories: [apps/**]
    tags: [{ include: ["*"], keepNewest: 10, keepPulledWithinSeconds: 2592000 }]
audit: { enabled: true }
clientTokens:
  - version: 1
    name: edge-puller
    status: enabled
    passwords: []
    actions: [repositories/apps/*/content/read, repositories/apps/*/metadata/read]
`;

/** What we read of a JSON schema. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** The JSON schema of a settings document, for editors. */
export function settingsJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(documentSchema, { io: "input" }), undefined, 2)}\n`;
}

/** `docs/reference/settings.md` */
export function settingsReference(): string {
  const schema = JSON.parse(settingsJsonSchema()) as Schema;
  const rows = rowsOf(schema, "");
  return `# The settings of \`connected-registry serve\`

<!-- Made by "npm run generate" from registry/configuration/options.ts and common/contract/: edit those. -->

A registry is told what to do by options, by environment variables, and by a **settings document**, one file in JSON or
YAML that \`--config\` names. An option wins over its environment variable, and both over the document. In a cluster the
operator writes the document; nobody else needs to.

- What is wrong is listed at once, whatever it was given by, each with its field and the remedy; the exit code is 2.
- The document is read again when it changes, and takes effect within seconds, without a restart. One that cannot be
  used changes nothing: the log says what is wrong, and the settings in use stay.
- A key that does not exist is refused in a document of your own, with what it was probably meant to be.

## Options

A flag without a value in its environment variable is set by \`true\` and left out by \`false\`. **Setting** is the key of
the settings document that an option overrides; its default is in the tables below.

${optionTables(rows)}

## The settings document

\`\`\`yaml
# yaml-language-server: $schema=settings.schema.json
${exampleDocument}\`\`\`

[\`settings.schema.json\`](settings.schema.json) is its JSON schema, by which editors check and complete it. \`[]\` stands
for the entries of a list.

${documentTables(schema)}
`;
}

function optionTables(rows: readonly Row[]): string {
  return Object.entries(optionGroups)
    .map(([group, title]) => {
      const options = serveOptions.filter((option) => option.group === group);
      const cells = options.map((option) => {
        const setting: string | undefined = "setting" in option ? option.setting : undefined;
        const inDocument = rows.find(({ key }) => key === setting);
        if (setting !== undefined && inDocument === undefined) throw new Error(`no setting ${setting}`);
        return [
          code("value" in option ? `--${option.name} ${option.value}` : `--${option.name}`),
          code(environmentName(option.name)),
          setting === undefined ? "–" : code(setting),
          "default" in option ? code(option.default) : "–",
          option.text,
        ];
      });
      const table = tableOf(["Option", "Environment", "Setting", "Default", "Meaning"], cells);
      return `### ${title.replace(":", "")}\n\n${table}`;
    })
    .join("\n\n");
}

/** One table for what has no parts, then one for each thing that has. */
function documentTables(schema: Schema): string {
  const top = Object.entries(schema.properties ?? {});
  const plain = top.filter(([, property]) => partsOf(property) === undefined).map(([key]) => key);
  const head = ["Setting", "Value", "Default", "Meaning"];
  const rows = rowsOf(schema, "");
  const table = (wanted: (key: string) => boolean): string =>
    tableOf(
      head,
      rows
        .filter(({ key }) => wanted(key))
        .map(({ key, value, fallback, meaning }) => [code(key), value, fallback, meaning]),
    );
  const sections = top
    .filter(([key]) => !plain.includes(key))
    .map(([root, { description = "" }]) => {
      const parts = table((key) => key.startsWith(`${root}.`) || key.startsWith(`${root}[]`));
      return `### \`${root}\`\n\n${description}\n\n${parts}`;
    });
  return [`### The registry\n\n${table((key) => plain.includes(key))}`, ...sections].join("\n\n");
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly fallback: string;
  readonly meaning: string;
}

function rowsOf(schema: Schema, prefix: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`;
    const row: Row = {
      key,
      value: valueOf(property),
      fallback: fallbackOf(property, schema.required?.includes(name) === true),
      meaning: property.description ?? "",
    };
    const parts = partsOf(property);
    return [
      row,
      ...(parts === undefined ? [] : rowsOf(parts, `${key}${property.items === undefined ? "." : "[]."}`)),
    ];
  });
}

/** The object that a property is, or that its entries are. */
function partsOf(property: Schema): Schema | undefined {
  if (property.properties !== undefined) return property;
  return property.items?.properties === undefined ? undefined : property.items;
}

function valueOf({ type, const: only, enum: choices, items, maxItems, ...bounds }: Schema): string {
  if (only !== undefined) return code(JSON.stringify(only));
  if (choices !== undefined) return choices.map((choice) => code(String(choice))).join(", ");
  if (type === "array") {
    const of = items === undefined || items.properties !== undefined ? "" : ` of ${valueOf(items)}`;
    return `list${of}${maxItems === undefined ? "" : `, at most ${maxItems}`}`;
  }
  if (type === "string") return "text";
  if (type === "boolean") return `${code("true")}, ${code("false")}`;
  if (type !== "number" && type !== "integer") return type ?? "";
  const { minimum, maximum = Number.MAX_SAFE_INTEGER } = bounds;
  const least = minimum === undefined ? "" : ` from ${minimum}`;
  return `number${least}${maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`}`;
}

function fallbackOf(property: Schema, required: boolean): string {
  if (required) return "required";
  const { default: value } = property;
  if (value === undefined || (typeof value === "object" && property.properties !== undefined)) return "–";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}

function code(text: string): string {
  return `\`${text}\``;
}
