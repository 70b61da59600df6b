import { cleanup } from "./chapters/cleanup.ts";
import { clients } from "./chapters/clients.ts";
import { install } from "./chapters/install.ts";
import { memory } from "./chapters/memory.ts";
import { objects } from "./chapters/objects.ts";
import { offline } from "./chapters/offline.ts";
import { online } from "./chapters/online.ts";
import { publish } from "./chapters/publish.ts";
import { sync } from "./chapters/sync.ts";
import { workload } from "./chapters/workload.ts";
import type { Chapter } from "./world.ts";

/** From images at headquarters to a workload at the edge, with the link cut and restored. */
export const story: readonly Chapter[] = [
  publish,
  install,
  objects,
  sync,
  workload,
  offline,
  online,
  clients,
];

/** What only tests wait for: it takes a minute. */
export const interlude: Chapter = memory;

/** The end of the story: the quickstart tells it when it is taken down. */
export const epilogue: Chapter = cleanup;
