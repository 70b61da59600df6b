import type { ControllerSpec } from "../runtime/reconciler.ts";
import { clientTokenController } from "./clienttoken.ts";
import { connectedRegistryController } from "./connectedregistry.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { nodeTrustController } from "./nodetrust.ts";
import { relationsIn } from "./relations.ts";
import { scopeMapController } from "./scopemap.ts";
import { syncPolicyController } from "./syncpolicy.ts";
import { syncTokenController } from "./synctoken.ts";

/** Every controller of the operator. */
export function controllers(dependencies: ControllerDependencies): readonly ControllerSpec[] {
  const relations = relationsIn(dependencies.watcher);
  return [
    connectedRegistryController(dependencies, relations),
    clientTokenController(dependencies, relations),
    syncPolicyController(dependencies),
    syncTokenController(dependencies, relations),
    scopeMapController(dependencies),
    nodeTrustController(dependencies),
  ];
}
