import type { Registry } from "prom-client";
import type { Clock } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import type { RegistryContent } from "../content/content.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import { createPruneMetrics } from "../sync/prune/metrics.ts";
import { Pruner } from "../sync/prune/pruner.ts";

interface PruningParts {
  readonly content: Pick<RegistryContent, "pruning">;
  readonly settings: () => RegistrySettings;
  readonly board: StatusBoard;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How many tags `/status` names. */
const shown = 10;

/** What removes tags that the parent has no more, and what it says of them on `/status`. */
export function pruningOf({ content, settings, board, registry, clock, log }: PruningParts): {
  readonly pruner: Pruner;
  readonly status: () => object;
} {
  const { pruning } = content;
  const metrics = createPruneMetrics(registry, pruning);
  const tell = (description: string | undefined): void => {
    board.setFault("Prune", description === undefined ? undefined : { code: "HELDBACK", description });
  };
  const status = (): object => {
    const { enabled, recoveryPeriodSeconds } = settings().sync?.prune ?? { recoveryPeriodSeconds: 0 };
    const { missing, pruned } = pruning.count();
    const newest = pruning.pruned(shown).map(({ since, ...rest }) => {
      const left = since + recoveryPeriodSeconds * 1000 - pruning.watched();
      return {
        ...rest,
        untilTime: clock
          .now()
          .plus({ milliseconds: Math.max(0, left) })
          .toISO(),
      };
    });
    return { enabled: enabled === true, missing, recoverable: { count: pruned, newest } };
  };
  return { pruner: new Pruner({ pruning, metrics, tell, log }), status };
}
