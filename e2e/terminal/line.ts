/** A step as it can be shown. */
export interface StepView {
  readonly title: string;
  readonly elapsedMs: number;
  readonly fraction: number | undefined;
  readonly detail: string | undefined;
}

const barWidth = 20;

/** `0.4 s`, `12 s`, `3 min 05 s`. */
export function elapsed(milliseconds: number): string {
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

export function percent(fraction: number): string {
  return `${Math.floor(clamp(fraction) * 100)} %`;
}

export function bar(fraction: number): string {
  const full = Math.floor(clamp(fraction) * barWidth);
  return "█".repeat(full) + "░".repeat(barWidth - full);
}

/** A running step in one line of a terminal that is `columns` wide. */
export function runningLine(step: StepView, mark: string, columns: number): string {
  const parts = [`${mark} ${step.title}`];
  if (step.fraction !== undefined) parts.push(bar(step.fraction), percent(step.fraction).padStart(5));
  parts.push(elapsed(step.elapsedMs));
  if (step.detail !== undefined) parts.push(step.detail);
  return cut(parts.join("  "), columns);
}

/** What is left to read once a step is over. */
export function endLine(step: StepView, failure?: string): string {
  const line = `${failure === undefined ? "✔" : "✖"} ${step.title}  ${elapsed(step.elapsedMs)}`;
  return failure === undefined ? line : `${line}  ${firstLine(failure)}`;
}

/** A sign of life of a step that takes long, where nothing can be redrawn. */
export function heartbeatLine(step: StepView): string {
  const parts = [`… ${step.title}`, elapsed(step.elapsedMs)];
  if (step.fraction !== undefined) parts.push(percent(step.fraction));
  if (step.detail !== undefined) parts.push(step.detail);
  return parts.join("  ");
}

function clamp(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}

// One column is left free: a full last column makes some terminals wrap, and the redraw would then miss a line.
function cut(text: string, columns: number): string {
  const line = text.replaceAll(/\p{Cc}/gu, " ");
  const room = Math.max(1, columns - 1);
  return line.length <= room ? line : `${line.slice(0, room - 1)}…`;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
