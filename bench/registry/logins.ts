import type { Line } from "../bench.ts";
import { measureRate } from "../clients/wrk.ts";
import { figure } from "../figure.ts";
import { alternate } from "../rounds.ts";
import { basic, broughtUser, startOurs } from "../servers/ours.ts";
import { manifests } from "./small-requests.ts";

const clients = 16;
const pullers = 4;
const leastLogins = 1000;
/** In milliseconds. A person does not notice so much, and no client waits longer for the network. */
const stall = 50;

export const loginsLine: Line = {
  name: "logins",
  title: "Logins, and pulls under a flood of wrong ones",
  async run({ programs, folder, logs, signal, scale, load, profile }, report) {
    const server = await startOurs(programs, { folder, secure: true, profile }, logs, signal);
    const { url } = server;
    const repositories = Array.from({ length: 10 }, (_, i) => `bench/app-${i}`);
    const token = await server.token(repositories);
    const { images } = await load.push(url, { repository: "bench", clients: 8, ...manifests, token });
    const manifestPaths = await load.writeList(images.map(manifests.pathOf));
    const loginPaths = await load.writeList(
      repositories.map((name) => `/oauth2/token?service=bench&scope=repository:${name}:pull`),
    );
    const { seconds } = scale;
    const login = (authorization: string, refused: boolean) =>
      measureRate(programs, {
        ...{ url, paths: loginPaths, connections: clients, seconds, authorization, refused },
      });
    const pull = () =>
      measureRate(programs, {
        ...{ url, paths: manifestPaths, connections: pullers, seconds, authorization: `Bearer ${token}` },
      });
    const pullWhile = (authorization: string) => async () =>
      (await Promise.all([pull(), login(authorization, true)]))[0];
    const wrong = "x".repeat(43);
    const found = await alternate(
      scale.rounds,
      {
        logins: () => login(server.login, false),
        alone: pull,
        guessed: pullWhile(basic("bench", wrong)),
        brought: pullWhile(basic(broughtUser, wrong)),
      },
      report,
    );
    const logins = figure(found.logins.map(({ requestsPerSecond }) => requestsPerSecond));
    const p99 = (rates: typeof found.alone) => figure(rates.map((rate) => rate.p99));
    return [
      {
        name: "logins",
        title: `Logins with a generated password, ${clients} connections`,
        measures: "Bearer tokens per second over TLS, each for Basic with the password.",
        unit: "logins/s",
        figures: { ours: logins },
        checks: [{ what: "logins/s", value: logins, bound: { kind: "at least", value: leastLogins } }],
      },
      {
        name: "login-flood",
        title: `Pulls while ${clients} connections guess passwords`,
        measures:
          `The slowest hundredth of GET manifest over TLS on ${pullers} connections, while wrong passwords come as fast as ` +
          "they are refused: of a token with a generated password, and of one with a password that a person brought.",
        unit: "ms",
        figures: { ours: p99(found.guessed) },
        checks: [
          {
            what: "p99 in ms, generated",
            value: p99(found.guessed),
            bound: { kind: "at most", value: stall },
          },
          { what: "p99 in ms, brought", value: p99(found.brought), bound: { kind: "at most", value: stall } },
          { what: "p99 in ms, nobody guesses", value: p99(found.alone) },
        ],
      },
    ];
  },
};
