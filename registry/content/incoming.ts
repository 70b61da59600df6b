import { addAbortSignal, type Readable } from "node:stream";

/**
 * Makes `content` ours to read, at once: if it fails before anybody reads, whoever reads it then is told, instead of
 * the failure ending the process. It is destroyed when `signal` aborts.
 */
export function takeOver(content: Readable, signal?: AbortSignal): Readable {
  content.on("error", () => undefined);
  return signal === undefined ? content : addAbortSignal(signal, content);
}
