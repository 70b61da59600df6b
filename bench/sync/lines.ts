import type { Line } from "../bench.ts";
import { blackHoleLine } from "./black-hole.ts";
import { copyLine } from "./copy.ts";
import { resumeLine } from "./resume.ts";
import { slowLinkLine } from "./slow-link.ts";

/** `npm run bench -- sync`: one line after another, in this order. */
export const syncLines: readonly Line[] = [copyLine, slowLinkLine, resumeLine, blackHoleLine];
