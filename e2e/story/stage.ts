import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { buildImage, type BuiltImage } from "../../manifests/image/build.ts";
import { defaultImage } from "../../manifests/image/version.ts";
import { type Cluster, up } from "../cluster/cluster.ts";
import { cacheFolder, provide } from "../components/provide.ts";
import { ctr } from "../cluster/node.ts";
import { clusterPrograms } from "../cluster/programs.ts";
import { run } from "../harness/command.ts";
import { Crane, dockerConfig } from "../harness/crane.ts";
import { Kubectl } from "../harness/kubectl.ts";
import { startParent } from "../harness/parent.ts";
import type { Progress } from "../terminal/progress.ts";
import { makeSampleImages, makeSampleLayers, nextTag } from "./images.ts";
import { type Chapter, names, type World } from "./world.ts";

/** The checkout. */
export const root = resolve(import.meta.dirname, "../..");

/** Two sites, everything on them that is not ours, and our image on the node. */
export interface Stage {
  readonly world: World;
  readonly cluster: Cluster;
  readonly image: BuiltImage;
}

/**
 * Brings up the cluster called `name` with a parent registry at its other site. What is slow and does not wait for one
 * another happens side by side.
 */
export async function setStage(name: string, progress: Progress, signal: AbortSignal): Promise<Stage> {
  const paths = provide([...clusterPrograms, "kubectl", "helm", "crane", "registry"], progress, signal);
  // A component that cannot be had rejects its own promise; whoever needs it first reports it.
  for (const path of Object.values(paths)) path.catch(() => undefined);
  const [image, layers, cluster] = await Promise.all([
    projectImage(progress),
    progress.step("Sample images", () => makeSampleLayers(join(cacheFolder(process.env), "story"))),
    up(name, paths, progress, signal),
  ]);
  await cluster.link.restore();
  const [parent] = await Promise.all([
    progress.step("Parent registry at headquarters", () => startParent(cluster, paths, signal)),
    progress.step("Our image on the node", () => cluster.loadImage(image.layoutPath)),
  ]);
  const folder = join(cluster.plan.directory, "story");
  const headquarters = await Crane.create(
    await paths.crane,
    join(folder, "headquarters"),
    parent.caPem,
    dockerConfig(parent.hostAddress, parent.username, parent.password),
  );
  const images = await makeSampleImages(
    layers,
    join(folder, "images"),
    await nextTag(headquarters, `${parent.hostAddress}/apps/hello`),
  );
  const kubectl = new Kubectl(await paths.kubectl, cluster.kubeconfig);
  const helm = await paths.helm;
  let people = 0;
  const world: World = {
    kubectl,
    helm: (args) => run(helm, args, { env: { KUBECONFIG: cluster.kubeconfig }, timeoutMs: 180_000 }),
    parent,
    link: cluster.link,
    headquarters,
    async craneAtEdge(config, caPem) {
      people++;
      await mkdir(folder, { recursive: true });
      return Crane.create(await paths.crane, join(folder, `person-${people}`), caPem, config);
    },
    images,
    image: image.name,
    root,
    async forget(reference) {
      const { command, args } = await ctr(paths, ["images", "remove", `${names.loginServer}/${reference}`]);
      await cluster.run(command, args);
    },
  };
  return { world, cluster, image };
}

/** Built under a name that changes with its content, so that a second run with other sources runs those. */
async function projectImage(progress: Progress): Promise<BuiltImage> {
  return progress.step("Image of the project", async (report) => {
    const options = {
      root,
      cacheFolder: join(cacheFolder(process.env), "image"),
      platforms: ["linux/amd64"],
      refresh: false,
    } as const;
    const name = await defaultImage(root);
    const tell = (step: string): void => {
      report(undefined, step);
    };
    const { digest } = await buildImage({ ...options, name }, tell);
    return buildImage({ ...options, name: `${name}-${digest.slice("sha256:".length, 19)}` }, tell);
  });
}

/** Plays one chapter, shown as one step. */
export function play(chapter: Chapter, world: World, progress: Progress): Promise<void> {
  return progress.step(chapter.title, (report) =>
    chapter.run(world, (detail) => {
      report(undefined, detail);
    }),
  );
}
