import { isLoopback } from "../../common/address.ts";
import type { ServeConfig } from "./serve-config.ts";
import type { Configuration } from "./live-configuration.ts";

/** What is served, and how: the first thing that people want to see in a log. Holds no secret. */
export function summaryOf(config: ServeConfig, { settings, clientTokens }: Configuration): object {
  const { mode, name, parent, storageQuotaBytes } = settings;
  return {
    name,
    mode,
    data: config.data,
    certificate: { none: "none", files: "given", selfSigned: "selfSigned" }[config.encryption.kind],
    anonymous: config.anonymous,
    clientTokens: clientTokens.length,
    ...(parent === undefined ? {} : { parent: parent.loginServer }),
    ...(storageQuotaBytes === undefined ? {} : { storageQuotaBytes }),
    probes: `${config.probes.host}:${config.probes.port}`,
  };
}

/** What people may not have meant, though it is allowed: sentences that say what follows from it. */
export function risksOf(config: ServeConfig, { settings, clientTokens }: Configuration): readonly string[] {
  const public_ = !isLoopback(config.listen.host);
  const writers = ["content/write", "content/delete", "metadata/write"] as const;
  const anybodyWrites =
    settings.mode === "ReadWrite" && writers.some((action) => config.anonymous.includes(action));
  const inCluster = config.cluster !== undefined;
  const risks: readonly (readonly [boolean, string])[] = [
    [
      config.encryption.kind === "none" && public_ && clientTokens.length > 0,
      "--http serves in the clear: passwords of client tokens can be read on the network; give --tls-cert and --tls-key",
    ],
    [
      anybodyWrites && public_,
      "--anonymous lets everybody who reaches the address change what is stored; give client tokens, or listen on 127.0.0.1",
    ],
    [
      clientTokens.length === 0 && config.anonymous.length === 0 && !inCluster,
      "there is no client token and no --anonymous access: every request is denied",
    ],
    [
      settings.parent?.protocol === "http" && settings.parent.credentials !== undefined,
      "the parent is reached in the clear: the credentials for it can be read on the network",
    ],
    [
      settings.sync?.onDemand.policy === "Any" && config.anonymous.includes("content/read") && public_,
      "onDemand Any and --anonymous let everybody who reaches the address fetch whatever the parent shows us, over the link; give client tokens, or use Selected",
    ],
    [
      settings.sync?.prune.enabled === true && settings.sync.prune.maxPercent === 100,
      "prune.maxPercent is 100: a mistake in the rules, or at the parent, takes all tags with it; lower it when what should go is gone",
    ],
    [
      !isLoopback(config.probes.host) && !inCluster,
      "--probes shows metrics and the status to everybody who reaches the address; listen on 127.0.0.1 if they should not",
    ],
  ];
  return risks.flatMap(([applies, sentence]) => (applies ? [sentence] : []));
}
