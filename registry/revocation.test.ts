import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSettings, type ClientTokenSettings } from "../common/contract/config.ts";
import { hashPassword } from "../common/contract/password.ts";
import { eventually } from "../common/testing/eventually.ts";
import { ManualClock } from "../common/testing/manual-clock.ts";
import { MemoryCluster } from "../common/testing/memory-cluster.ts";
import { silentLog } from "../common/testing/silent-log.ts";
import { ClientTokens } from "./auth/client-tokens.ts";
import { TokenAuthority } from "./auth/token-authority.ts";
import { ClusterConfiguration } from "./cluster/cluster-configuration.ts";
import { KeptConfiguration } from "./cluster/kept-configuration.ts";
import { LiveConfiguration } from "./configuration/live-configuration.ts";
import { StatusBoard } from "./sync/telling/board.ts";

const salt = "ab".repeat(16);
const puller = (password: string, change: Partial<ClientTokenSettings> = {}): ClientTokenSettings => ({
  version: 1,
  name: "puller",
  status: "enabled",
  passwords: [{ name: "password1", algorithm: "sha256", salt, hash: hashPassword(password, salt) }],
  actions: ["repositories/*/content/read"],
  ...change,
});

const secrets = "/api/v1/namespaces/edge/secrets";
const secret = (key: string, document: unknown): object => ({
  data: { [key]: Buffer.from(JSON.stringify(document)).toString("base64") },
});

test.each([
  { because: "its password has changed", next: puller("other") },
  { because: "it is disabled", next: puller("secret", { status: "disabled" }) },
  { because: "its Secret is gone", next: undefined },
  { because: "its scope is gone", next: puller("secret", { actions: [] }) },
])(
  "S28 a bearer token ends as soon as the watch tells of its client token that $because, and no clock moves",
  async ({ next }) => {
    const folder = await mkdtemp(join(tmpdir(), "revocation-"));
    const clock = new ManualClock();
    const cluster = new MemoryCluster();
    const settings = { version: 1, name: "contoso", clientTokenSecrets: ["puller"] };
    const live = new LiveConfiguration({ settings: parseSettings(settings), clientTokens: [] });
    const tokens = new ClientTokens(clock, []);
    live.subscribe(({ clientTokens }) => tokens.replace(clientTokens));
    const authority = await TokenAuthority.create(tokens, clock, { secret: new Uint8Array(32), id: "test" });
    const stop = new AbortController();
    const place = { namespace: "edge", name: "contoso" };
    const kept = new KeptConfiguration(folder, silentLog);
    const board = new StatusBoard("0", clock, () => "id");
    const running = new ClusterConfiguration(cluster, place, live, kept, board, silentLog).run(stop.signal);
    try {
      cluster.put(secrets, "contoso-config", secret("settings.json", settings));
      cluster.put(secrets, "puller", secret("token.json", puller("secret")));
      await eventually(() => !tokens.empty, "the token");
      const [{ credential } = { credential: "" }] = tokens.passwords("puller");
      const principal = { kind: "client", name: "puller", credential } as const;
      const wanted = [{ repository: "a", actions: ["content/read"] as const }];
      const { token } = await authority.issue(principal, { repositories: wanted, catalog: false });
      const allowed = async (): Promise<boolean> => {
        try {
          return tokens.allows((await authority.verify(token)).principal, "content/read", "a");
        } catch {
          return false;
        }
      };
      expect(await allowed()).toBe(true);
      const former = live.current.clientTokens[0];
      cluster.put(secrets, "puller", next && secret("token.json", next));
      await eventually(() => live.current.clientTokens[0] !== former, "the change");
      expect(await allowed()).toBe(false);
    } finally {
      stop.abort();
      await running;
      await rm(folder, { recursive: true });
    }
  },
);
