import { valuesOf, type CustomResourceDefinition, type Schema } from "./schema.ts";

/**
 * The TypeScript of a resource: its types, and the token that names its kind. A field with a default is not optional,
 * since the API server fills it in; what people send may lack it.
 */
export function typescriptOf(crd: CustomResourceDefinition): string {
  const { group, scope, names, versions } = crd.spec;
  const version = versions[0];
  if (version === undefined) throw new RangeError(`${names.kind} has no version`);
  const { openAPIV3Schema: schema } = version.schema;
  const part = (name: string): Schema => schema.properties?.[name] ?? { type: "object" };
  const { kind } = names;
  const apiVersion = `${group}/${version.name}`;
  return [
    `// Generated from crds/${names.plural}.yaml by "npm run generate"; not to be edited.`,
    `import type { Kind, ObjectMeta } from "../runtime/kube.ts";`,
    ``,
    `export interface ${kind}Spec ${typeOf(part("spec"), "")}`,
    ``,
    `export interface ${kind}Status ${typeOf(part("status"), "")}`,
    ``,
    ...comment(schema.description, ""),
    `export interface ${kind} {`,
    `  readonly apiVersion: "${apiVersion}";`,
    `  readonly kind: "${kind}";`,
    `  readonly metadata: ObjectMeta;`,
    `  readonly spec: ${kind}Spec;`,
    `  readonly status?: ${kind}Status;`,
    `}`,
    ``,
    `export const ${kind}Kind: Kind<${kind}> = {`,
    `  apiVersion: "${apiVersion}",`,
    `  kind: "${kind}",`,
    `  plural: "${names.plural}",`,
    `  namespaced: ${String(scope === "Namespaced")},`,
    `};`,
    ``,
  ].join("\n");
}

function typeOf(schema: Schema, indent: string): string {
  switch (schema.type) {
    case "object":
      if (schema["x-kubernetes-preserve-unknown-fields"] === true) return "object";
      return schema.additionalProperties === undefined
        ? objectType(schema, indent)
        : `Readonly<Record<string, ${typeOf(schema.additionalProperties, indent)}>>`;
    case "array":
      return `readonly ${parenthesised(typeOf(schema.items ?? { type: "object" }, indent))}[]`;
    case "string":
      return (
        valuesOf(schema)
          ?.map((value) => JSON.stringify(value))
          .join(" | ") ?? "string"
      );
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
  }
}

function objectType(schema: Schema, indent: string): string {
  const inner = `${indent}  `;
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const given = schema.required?.includes(name) === true || field.default !== undefined;
    return [
      ...comment(field.description, inner),
      `${inner}readonly ${name}${given ? "" : "?"}: ${typeOf(field, inner)};`,
    ];
  });
  return ["{", ...fields, `${indent}}`].join("\n");
}

function parenthesised(type: string): string {
  return type.includes(" | ") && !type.startsWith("{") ? `(${type})` : type;
}

function comment(text: string | undefined, indent: string): string[] {
  // A description may speak of paths such as "apps/*", and "*/" would end the comment.
  return text === undefined ? [] : [`${indent}/** ${text.replaceAll("*/", "*\\/")} */`];
}
