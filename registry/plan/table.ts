import type { PlanEntry, RepositoryPlan } from "./entries.ts";

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** As people read it, such as `84.1 MiB`. */
function humanBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power] ?? ""}`;
}

/** A row for each repository, and what they come to together. */
export function repositoryTable(repositories: readonly RepositoryPlan[]): string {
  const rows = repositories.map((each) => [
    each.repository,
    String(each.selected),
    String(each.here),
    String(each.toFetch),
    humanBytes(each.bytes),
    each.failed === 0 ? "-" : String(each.failed),
    each.leftOut === 0 ? "-" : `${each.leftOut}: ${reasonsOf(each)}`,
  ]);
  return columns([["REPOSITORY", "SELECTED", "HERE", "TO FETCH", "BYTES", "FAILED", "LEFT OUT"], ...rows]);
}

/** A row for each tag. */
export function tagTable(entries: readonly PlanEntry[]): string {
  const rows = entries.map(({ repository, tag, state, bytes, digest, reason }) => [
    tag === undefined ? repository : `${repository}:${tag}`,
    state,
    bytes === undefined ? "-" : humanBytes(bytes),
    reason ?? digest ?? "-",
  ]);
  return columns([["TAG", "STATE", "BYTES", "WHAT"], ...rows]);
}

/** All repositories in one sentence. */
export function sumOf(repositories: readonly RepositoryPlan[]): string {
  const sum = (key: "selected" | "here" | "toFetch" | "leftOut" | "failed" | "bytes"): number =>
    repositories.reduce((all, each) => all + each[key], 0);
  const failed = sum("failed") === 0 ? "" : `, ${sum("failed")} could not be looked at`;
  return (
    `${sum("selected")} tags are selected: ${sum("here")} are here, ${sum("toFetch")} are to be fetched ` +
    `(${humanBytes(sum("bytes"))}). ${sum("leftOut")} are left out${failed}.`
  );
}

function reasonsOf({ reasons }: RepositoryPlan): string {
  return reasons.map(({ reason, count }) => `${count} ${reason}`).join(", ");
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => cell.padEnd(i === row.length - 1 ? 0 : (widths[i] ?? 0) + 2)).join("");
  return `${rows.map(line).join("\n")}\n`;
}
