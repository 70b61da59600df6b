import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../common/clock.ts";
import { hasCode } from "../common/errors.ts";

/**
 * `npm test`: everything that tests the project, cheapest first, and one closing line that counts. A stage that fails
 * ends the run. What this machine cannot run is skipped and said so; where it can (root on Linux) a skip is a failure.
 */
interface Stage {
  readonly title: string;
  readonly script: string;
  /** Whether Jest runs in it, and can count. */
  readonly counts: boolean;
}

const stages: readonly Stage[] = [
  { title: "Types", script: "typecheck", counts: false },
  { title: "Lint and format", script: "lint", counts: false },
  { title: "Dependency rule and dead code", script: "deps", counts: false },
  { title: "Generated files", script: "verify", counts: false },
  { title: "Unit tests", script: "test:unit", counts: true },
  { title: "Real components", script: "components", counts: false },
  { title: "Integration tests (real kube-apiserver and etcd)", script: "test:integration", counts: true },
  { title: "End-to-end tests (real node)", script: "test:e2e", counts: true },
];

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const none: Count = { passed: 0, failed: 0, skipped: 0 };
const start = systemClock.now();
const results = await mkdtemp(join(tmpdir(), "connected-registry-test-"));
let total = none;
let failure: string | undefined;

for (const [i, stage] of stages.entries()) {
  console.log(`\n▶ ${stage.title} (${elapsed()})`);
  const file = join(results, `${i}.json`);
  const ok = await npmRun(stage.script, stage.counts ? ["--json", `--outputFile=${file}`] : []);
  const count = stage.counts ? await readCount(file) : none;
  total = {
    passed: total.passed + count.passed,
    failed: total.failed + count.failed,
    skipped: total.skipped + count.skipped,
  };
  if (!ok) failure = `${stage.title}: failed (npm run ${stage.script})`;
  else if (stage.counts && count.passed + count.skipped === 0) failure = `${stage.title}: no test ran`;
  else if (count.skipped > 0 && canRunEverything()) {
    failure = `${stage.title}: ${count.skipped} tests were skipped on a machine that can run them`;
  }
  if (failure !== undefined) break;
}
await rm(results, { recursive: true });

console.log(`\n${failure ?? "Everything passed"} (${elapsed()})`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = failure === undefined ? 0 : 1;

function canRunEverything(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0;
}

function elapsed(): string {
  return systemClock.now().diff(start).toFormat("m:ss");
}

function npmRun(script: string, args: readonly string[]): Promise<boolean> {
  const child = spawn("npm", ["run", "--silent", script, "--", ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("exit", (code) => {
      resolve(code === 0);
    });
  });
}

async function readCount(file: string): Promise<Count> {
  try {
    const json = JSON.parse(await readFile(file, "utf8")) as Readonly<Record<string, number>>;
    return {
      passed: json.numPassedTests ?? 0,
      failed: (json.numFailedTests ?? 0) + (json.numRuntimeErrorTestSuites ?? 0),
      skipped: (json.numPendingTests ?? 0) + (json.numTodoTests ?? 0),
    };
  } catch (error) {
    // Jest died before it wrote its results; the stage has failed and says so.
    if (hasCode(error, "ENOENT")) return none;
    throw error;
  }
}
