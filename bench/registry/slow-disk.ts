import type { Line } from "../bench.ts";
import { provide } from "../../e2e/components/provide.ts";
import { silentProgress } from "../../e2e/terminal/progress.ts";
import { measureRate } from "../clients/wrk.ts";
import { figure } from "../figure.ts";
import { alternate } from "../rounds.ts";
import { startOurs } from "../servers/ours.ts";
import { manifests, smallBlobs } from "./small-requests.ts";

const syncMs = 30;
const pullers = 4;
const pushers = 8;
/** About so many images come in a second, on a disk as slow as that. */
const imagesPerSecond = 10;

export const slowDiskLine: Line = {
  name: "slow-disk",
  title: `Pulls while others push, each fsync taking ${syncMs} ms more`,
  async run({ programs, folder, logs, signal, scale, load }, report) {
    const strace = await provide(["strace"], silentProgress, signal).strace;
    // With -D it is strace that is the child, and what we start is the registry.
    const options = ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"];
    const delay = ["-e", `inject=fsync,fdatasync:delay_enter=${syncMs * 1000}`];
    const under = [strace, ...options, ...delay];
    const { url } = await startOurs(programs, { folder, under }, logs, signal);
    const { seconds } = scale;
    const subjects = { manifest: manifests, blob: smallBlobs };
    const lists = { manifest: "", blob: "" };
    for (const name of ["manifest", "blob"] as const) {
      const images = { repository: name, clients: pushers, ...subjects[name], count: 20 };
      lists[name] = await load.writeList((await load.push(url, images)).images.map(subjects[name].pathOf));
    }
    const pull = (name: keyof typeof lists) => () =>
      measureRate(programs, { url, paths: lists[name], connections: pullers, seconds });
    const pushed: number[] = [];
    const pullWhilePushing = (name: keyof typeof lists) => async () => {
      const count = seconds * imagesPerSecond;
      const images = { repository: `round-${pushed.length}`, count, layers: 4, layerBytes: 16 * 1024 };
      const pushing = load.push(url, { ...images, clients: pushers });
      const rate = await pull(name)();
      pushed.push((count * 1000) / (await pushing).milliseconds);
      return rate;
    };
    const found = await alternate(
      scale.rounds,
      {
        manifestAlone: pull("manifest"),
        blobAlone: pull("blob"),
        manifest: pullWhilePushing("manifest"),
        blob: pullWhilePushing("blob"),
      },
      report,
    );
    const p99 = (rates: readonly { readonly p99: number }[]) => figure(rates.map((rate) => rate.p99));
    return (["manifest", "blob"] as const).map((name) => ({
      name: `slow-disk-${name}`,
      title: `GET ${name}, each fsync takes ${syncMs} ms more, ${pushers} clients push`,
      measures:
        `The slowest hundredth on ${pullers} connections; strace makes every fsync and fdatasync wait. Below the time of ` +
        "one sync, no pull has waited for any.",
      unit: "ms",
      figures: { ours: p99(found[name]) },
      checks: [
        { what: "p99 in ms", value: p99(found[name]), bound: { kind: "at most" as const, value: syncMs } },
        { what: "p99 in ms, nobody pushes", value: p99(found[`${name}Alone`]) },
        { what: "images/s pushed meanwhile", value: figure(pushed) },
      ],
    }));
  },
};
