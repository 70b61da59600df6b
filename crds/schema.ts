/** A schema of a CustomResourceDefinition, as far as we write such. */
export interface Schema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  /** Whatever Kubernetes knows there: what is passed on is the API server's to judge. */
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string }[];
}

export interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly scope: "Namespaced" | "Cluster";
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

/**
 * The values that a string may have, from `enum` or from a CEL rule `self in ['A', 'B']` (which takes the place of
 * `enum` where the error should explain itself); `undefined` if any.
 */
export function valuesOf(schema: Schema): readonly string[] | undefined {
  if (schema.enum !== undefined) return schema.enum;
  for (const { rule } of schema["x-kubernetes-validations"] ?? []) {
    const list = /^self in \[(.*)\]$/.exec(rule)?.[1];
    if (list !== undefined) return [...list.matchAll(/'([^']*)'/g)].map(([, value]) => value ?? "");
  }
  return undefined;
}
