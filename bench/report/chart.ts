import { digits } from "../figure.ts";
import { type Check, contestants, type Contestant, holds, type LineResult } from "../line.ts";
import { mark } from "./table.ts";

const colors: Readonly<Record<Contestant, string>> = {
  ours: "#2563eb",
  distribution: "#94a3b8",
  nginx: "#16a34a",
  "bare Node": "#d97706",
  regsync: "#94a3b8",
};
const width = 900;
const left = 330;
const barRoom = 300;
const barHeight = 14;
const gap = 18;
const top = 64;

/** The results as a picture: one group of bars for each line, the longest of a group being its largest value. */
export function chart(results: readonly LineResult[], subtitle: string): string {
  const parts: string[] = [];
  let y = top;
  for (const result of results) {
    const bars = contestants.filter((who) => result.figures[who] !== undefined);
    const height = Math.max(bars.length * barHeight, 14 + result.checks.length * 14);
    parts.push(group(result, bars, y));
    y += height + gap;
  }
  const shown = contestants.filter((who) => results.some(({ figures }) => figures[who] !== undefined));
  const legend = shown.map((who, i) => {
    const x = left + i * 110;
    return `<rect x="${x}" y="38" width="10" height="10" fill="${colors[who]}"/>${text(x + 15, 47, who, "small")}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" font-family="system-ui, sans-serif">
<style>text{fill:#1e293b;font-size:13px}.small{font-size:11px;fill:#475569}.bad{font-size:11px;fill:#b91c1c}</style>
<rect width="${width}" height="${y}" fill="#ffffff"/>
${text(16, 24, shown.length > 1 ? "Connected Registry against its peers" : "Connected Registry", "")}
${text(16, 47, subtitle, "small")}
${[...legend, ...parts].join("\n")}
</svg>
`;
}

function group({ title, unit, figures, checks }: LineResult, bars: readonly Contestant[], y: number): string {
  const longest = Math.max(...bars.map((who) => figures[who]?.median ?? 0));
  const drawn = bars.map((who, i) => {
    const value = figures[who]?.median ?? 0;
    const length = Math.max(1, (value / longest) * barRoom);
    const at = y + i * barHeight;
    const label = text(left + length + 6, at + 10, `${digits(value)} ${unit}`, "small");
    return `<rect x="${left}" y="${at}" width="${length.toFixed(1)}" height="${barHeight - 3}" fill="${colors[who]}"/>${label}`;
  });
  const told = checks.map((check, i) => {
    const kind = holds(check) === false ? "bad" : "small";
    return text(16, y + 26 + i * 14, sentence(check), kind);
  });
  return [text(16, y + 11, title, ""), ...told, ...drawn].join("\n");
}

function sentence(check: Check): string {
  const { value, what, bound } = check;
  const needed = bound === undefined ? "" : ` (${bound.kind} ${bound.value})`;
  return `${mark(check)} ${digits(value.median)} ${what}${needed}`;
}

function text(x: number, y: number, content: string, kind: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}"${kind === "" ? "" : ` class="${kind}"`}>${escaped}</text>`;
}
