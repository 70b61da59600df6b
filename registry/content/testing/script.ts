import type { Lane } from "./arbitrary.ts";
import type { Operation } from "./operations.ts";

/** What a process does to a store: some lanes at once, or the store closed and opened again, perhaps without its database. */
export type ScriptStep = { readonly lanes: readonly Lane[] } | { readonly reopen: "as it is" | "bereft" };

export type Script = readonly ScriptStep[];

/** An operation on files, counted from 1, while the store is opened the first time or after that. */
export interface FileStep {
  readonly during: "opening" | "work";
  readonly step: number;
}

/** What a process is told to do. */
export interface ScriptRun {
  readonly directory: string;
  readonly script: Script;
  /** Before which it kills itself; absent: it does not. */
  readonly killAt?: FileStep;
}

/** All operations of a script by their number. */
export function operationsOf(script: Script): readonly Operation[] {
  return script.flatMap((step) => ("lanes" in step ? step.lanes.flat() : []));
}

/** What a process that runs a script tells, in order. */
export type Mark =
  | { readonly mark: "begin"; readonly operation: number }
  | { readonly mark: "end"; readonly operation: number; readonly outcome: string };

export function writeMark(mark: Mark): string {
  return `${JSON.stringify(mark)}\n`;
}

/** The marks in what a process wrote; a line that was cut short says nothing. */
export function readMarks(text: string): readonly Mark[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Mark);
}
