import { join } from "node:path";
import type { Line } from "../bench.ts";
import { type Rate, measureRate } from "../clients/wrk.ts";
import { figure, ratio } from "../figure.ts";
import type { LineResult } from "../line.ts";
import { alternate } from "../rounds.ts";
import { type OurServer, startOurs } from "../servers/ours.ts";
import { manifests, rateOf, smallBlobs } from "./small-requests.ts";

const connections = 16;
const leastShare = 0.6;
const large = "bench/large";

/** One of the two: our registry in the clear and for anybody, or with TLS and a bearer token. */
interface Side {
  readonly server: OurServer;
  readonly token: string | undefined;
}

export const secureLine: Line = {
  name: "secure",
  title: "TLS and a bearer token, against neither",
  async run({ programs, folder, logs, signal, scale, load, profile }, report) {
    const plain = await startOurs(programs, { folder: join(folder, "plain") }, logs, signal);
    const safe = await startOurs(
      programs,
      { folder: join(folder, "safe"), secure: true, profile },
      logs,
      signal,
    );
    const repositories = [large, ...Array.from({ length: 10 }, (_, i) => `bench/app-${i}`)];
    const sides = {
      plain: { server: plain, token: undefined },
      safe: { server: safe, token: await safe.token(repositories) },
    } satisfies Record<string, Side>;
    const results: LineResult[] = [];
    const steps = 4;
    const progress = (fraction: number): void => {
      report((results.length + fraction) / steps);
    };
    for (const [name, title, subject] of [
      ["secure-manifest", "GET manifest by tag, 16 connections, TLS and token", manifests],
      ["secure-small-blob", "GET 4 KiB blob, 16 connections, TLS and token", smallBlobs],
    ] as const) {
      const rate = async ({ server: { url }, token }: Side): Promise<() => Promise<Rate>> => {
        const { images } = await load.push(url, { repository: "bench", clients: 8, ...subject, token });
        const paths = await load.writeList(images.map(subject.pathOf));
        const authorization = token === undefined ? undefined : `Bearer ${token}`;
        return () =>
          measureRate(programs, { url, paths, connections, seconds: scale.seconds, authorization });
      };
      const contestants = { plain: await rate(sides.plain), safe: await rate(sides.safe) };
      const found = await alternate(scale.rounds, contestants, progress);
      const [safely, plainly] = [found.safe.map(rateOf), found.plain.map(rateOf)];
      results.push({
        name,
        title,
        measures: "Requests per second with TLS and a bearer token, and how many that is of those without.",
        unit: "requests/s",
        figures: { ours: figure(safely) },
        checks: [
          {
            what: "× plain",
            value: ratio(safely, plainly),
            bound: { kind: "at least", value: leastShare },
          },
        ],
      });
    }
    const url = async ({ server, token }: Side): Promise<string> =>
      `${server.url}/v2/${large}/blobs/${(await load.upload(server.url, large, scale.largeBytes, token)).digest}`;
    const urls = { plain: await url(sides.plain), safe: await url(sides.safe) };
    for (const streams of [1, 8]) {
      const contestants = {
        plain: () => load.stream(urls.plain, streams),
        safe: () => load.stream(urls.safe, streams, sides.safe.token),
      };
      const found = await alternate(scale.rounds, contestants, progress);
      results.push({
        name: `secure-large-blob-${streams}`,
        title: `GET large blob, ${streams === 1 ? "one stream" : `${streams} streams`}, TLS and token`,
        measures: "MB/s of all streams together with TLS and a bearer token. Reported; nothing is asked for.",
        unit: "MB/s",
        figures: { ours: figure(found.safe) },
        checks: [{ what: "× plain", value: ratio(found.safe, found.plain) }],
      });
    }
    return results;
  },
};
