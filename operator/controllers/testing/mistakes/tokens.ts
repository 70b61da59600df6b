import { eventually } from "../../../../e2e/harness/eventually.ts";
import { ClientTokenKind } from "../../../api/clienttoken.gen.ts";
import { SecretKind } from "../../../api/kubernetes.ts";
import { ScopeMapKind } from "../../../api/scopemap.gen.ts";
import type { Mistake } from "./mistake.ts";

const token = {
  in: "running",
  on: { kind: ClientTokenKind, name: "edge-puller" },
  condition: "Ready",
} as const;
const past = "2020-01-01T00:00:00Z";

export const tokenMistakes: readonly Mistake[] = [
  {
    mistake: "the ClientToken is deleted",
    in: "running",
    make: (scene) => scene.remove(ClientTokenKind, "edge-puller"),
    condition: "ClientTokensReady",
    reason: "ClientTokenNotFound",
    says: '"edge-puller"',
    then: "waits",
    mend: (scene) => scene.sample("ClientToken"),
  },
  {
    mistake: "the registry names another ClientToken, too",
    in: "running",
    make: (scene) => scene.registry({ clientTokenRefs: [{ name: "edge-puller" }, { name: "edge-pusher" }] }),
    condition: "ClientTokensReady",
    reason: "ClientTokenNotFound",
    says: '"edge-pusher"',
    then: "waits",
    mend: (scene) => scene.registry(),
  },
  {
    ...token,
    mistake: "the ScopeMap of a token is deleted",
    make: (scene) => scene.remove(ScopeMapKind, "edge-pull"),
    reason: "ScopeMapNotFound",
    says: 'There is no ScopeMap "edge-pull"',
    then: "waits",
    mend: (scene) => scene.sample("ScopeMap"),
  },
  {
    ...token,
    mistake: "a token names another ScopeMap",
    make: (scene) => scene.sample("ClientToken", { scopeMapRef: { name: "edge-push" } }),
    reason: "ScopeMapNotFound",
    says: 'There is no ScopeMap "edge-push"',
    then: "waits",
    mend: (scene) => scene.sample("ClientToken"),
  },
  {
    ...token,
    mistake: "both passwords of a token have expired",
    make: (scene) =>
      scene.sample("ClientToken", {
        passwords: { password1: { expiry: past }, password2: { expiry: past } },
      }),
    reason: "PasswordExpired",
    says: "passwords have expired",
    then: "stalls",
    mend: (scene) => scene.sample("ClientToken"),
  },
  {
    ...token,
    mistake: "the name of a token's Secret is taken",
    in: "new",
    make: async (scene) => {
      await scene.remove(ClientTokenKind, "edge-puller");
      // Until the operator knows that, it makes the Secret again.
      await eventually("somebody else's Secret", 5_000, async () => {
        await scene.remove(SecretKind, "edge-puller-credentials");
        await scene.secret("edge-puller-credentials", { a: "b" });
        const found = await scene.user.get(SecretKind, scene.key("edge-puller-credentials"));
        return found?.metadata.ownerReferences === undefined ? found : undefined;
      });
      await scene.sample("ClientToken");
    },
    reason: "NameTaken",
    says: 'The Secret "edge-puller-credentials" exists and belongs to somebody else.',
    then: "stalls",
    mend: (scene) => scene.remove(SecretKind, "edge-puller-credentials"),
    // A Secret of somebody else tells us nothing when it goes.
    mendedWithin: 35,
  },
];
