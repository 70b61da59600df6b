import { digits, type Figure } from "../figure.ts";
import { type Check, contestants, holds, type LineResult } from "../line.ts";

/** The results as text: of each line first what must hold, then what was measured. */
export function table(results: readonly LineResult[]): string {
  const rows = results.flatMap(({ checks }) => checks.map(cells));
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? "").length)));
  const lines = results.map((result) =>
    [
      result.title,
      ...result.checks.map((check) => `  ${aligned(cells(check), widths)}`),
      `    ${figures(result)}`,
      `    ${result.measures}`,
    ].join("\n"),
  );
  return `${lines.join("\n\n")}\n\n${verdict(results)}\n`;
}

/** One sentence about everything that must hold. */
function verdict(results: readonly LineResult[]): string {
  const bound = results.flatMap(({ checks }) => checks).filter((check) => holds(check) !== undefined);
  const missed = bound.filter((check) => holds(check) === false).length;
  return missed === 0
    ? `All ${bound.length} requirements hold.`
    : `${missed} of ${bound.length} requirements do not hold.`;
}

function spread({ median, low, high }: Figure): string {
  return low === high ? digits(median) : `${digits(median)} (${digits(low)} to ${digits(high)})`;
}

function cells(check: Check): readonly string[] {
  const { bound, value, what } = check;
  const range = value.low === value.high ? "" : `${digits(value.low)} to ${digits(value.high)}`;
  const needed = bound === undefined ? "reported" : `${bound.kind} ${bound.value}`;
  return [`${mark(check)} ${digits(value.median)}`, range, what, needed];
}

export function mark(check: Check): string {
  const good = holds(check);
  return good === undefined ? "·" : good ? "✔" : "✖";
}

function aligned(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}

function figures({ figures: all, unit }: LineResult): string {
  return contestants
    .flatMap((who) => {
      const value = all[who];
      return value === undefined ? [] : [`${who} ${spread(value)} ${unit}`];
    })
    .join(" · ");
}
