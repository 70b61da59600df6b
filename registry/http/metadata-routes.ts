import { listCatalog } from "./catalog.ts";
import { listManifestMetadata, listTagMetadata } from "./metadata-listings.ts";
import { changeMetadata, readMetadata } from "./metadata.ts";
import type { Route } from "./route.ts";

const describes = { kind: "repository", actions: ["metadata/read"], writes: false } as const;
const changes = { kind: "repository", actions: ["metadata/write"], writes: true } as const;
const common = { name: "metadata", missing: "MANIFEST_UNKNOWN" } as const;

/** One of them. */
const items = [
  /^\/acr\/v1\/(?<repository>.+)\/_tags\/(?<tag>[^/]+)$/,
  /^\/acr\/v1\/(?<repository>.+)\/_manifests\/(?<digest>[^/]+)$/,
  /^\/acr\/v1\/(?<repository>.+)$/,
];

/** ACR's metadata of what can be locked. No name of a repository ends as a list does. */
export const metadataRoutes: readonly Route[] = [
  {
    name: "metadata",
    method: "GET",
    pattern: /^\/acr\/v1\/_catalog$/,
    access: { kind: "catalog" },
    handle: listCatalog,
  },
  {
    ...common,
    method: "GET",
    pattern: /^\/acr\/v1\/(?<repository>.+)\/_tags$/,
    access: describes,
    handle: listTagMetadata,
  },
  {
    ...common,
    method: "GET",
    pattern: /^\/acr\/v1\/(?<repository>.+)\/_manifests$/,
    access: describes,
    handle: listManifestMetadata,
  },
  ...items.flatMap((pattern): Route[] => [
    { ...common, method: "GET", pattern, access: describes, handle: readMetadata },
    { ...common, method: "PATCH", pattern, access: changes, handle: changeMetadata },
  ]),
];
