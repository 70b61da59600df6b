import type { Line } from "../bench.ts";
import { largeBlobLine } from "./large-blobs.ts";
import { largeStoreLine } from "./large-store.ts";
import { loginsLine } from "./logins.ts";
import { memoryLine } from "./memory.ts";
import { pushLine } from "./push.ts";
import { secureLine } from "./secure.ts";
import { slowDiskLine } from "./slow-disk.ts";
import { manifestLine, smallBlobLine } from "./small-requests.ts";

/** `npm run bench -- registry`: one line after another, in this order. */
export const registryLines: readonly Line[] = [
  manifestLine,
  smallBlobLine,
  largeBlobLine,
  pushLine,
  slowDiskLine,
  largeStoreLine,
  secureLine,
  loginsLine,
  memoryLine,
];
