import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { systemClock } from "../../common/clock.ts";
import type { Progress } from "../terminal/progress.ts";
import { hostPlatform } from "./bundle.ts";
import { Cache } from "./cache.ts";
import { ReleaseSource } from "./download.ts";
import { foldersOf, searchPath } from "./executable.ts";
import { GoSource } from "./go-build.ts";
import { cacheKey } from "./key.ts";
import { componentsVariable } from "./messages.ts";
import { AptInstaller } from "./packages.ts";
import { Provider } from "./provider.ts";
import type { SystemProgram } from "./system.ts";
import { type BuiltProgram, bundles } from "./table.ts";

/** Every program that a cluster, the tests and the quickstart can ask for. */
export type ComponentName = BuiltProgram | SystemProgram;

type Environment = Readonly<Record<string, string | undefined>>;

/** What an assets folder of Kubernetes' own integration tests holds. */
const assets: ReadonlySet<string> = new Set(["etcd", "kube-apiserver", "kubectl"]);

/**
 * The absolute paths of real components, each as soon as it is there: from an explicit folder, from the cache, built
 * with Go, or downloaded; programs of the operating system from `PATH` or its packages.
 *
 * Nothing is obtained twice, whoever else asks at the same time. Each promise rejects with one sentence that says what
 * was tried and what to do.
 */
export function provide<Name extends ComponentName>(
  names: readonly Name[],
  progress: Progress,
  signal: AbortSignal,
): Readonly<Record<Name, Promise<string>>> {
  return Object.fromEntries(hostProvider(process.env).provide(names, progress, signal)) as Record<
    Name,
    Promise<string>
  >;
}

/** Where components are kept on this machine. */
export function cacheFolder(environment: Environment): string {
  const caches = environment.XDG_CACHE_HOME;
  // The specification says to ignore a relative one.
  const root = caches !== undefined && isAbsolute(caches) ? caches : join(homedir(), ".cache");
  return join(root, "connected-registry");
}

/** The folders that `environment` names for `program`. */
export function explicitFolders(environment: Environment, program: string): readonly string[] {
  const ours = foldersOf(environment[componentsVariable]);
  return assets.has(program) ? [...ours, ...foldersOf(environment.KUBEBUILDER_ASSETS)] : ours;
}

function hostProvider(environment: Environment): Provider {
  const platform = hostPlatform();
  return new Provider({
    bundles,
    cache: new Cache(cacheFolder(environment), systemClock),
    keyOf: (bundle) => cacheKey(bundle, platform, import.meta.dirname),
    sources: [new GoSource(import.meta.dirname), new ReleaseSource(platform)],
    installer: new AptInstaller(),
    explicitFolders: (program) => explicitFolders(environment, program),
    systemFolders: searchPath(environment.PATH),
  });
}
