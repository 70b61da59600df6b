import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface BundleOptions {
  /** The folder to fill; what was in it is removed. */
  readonly folder: string;
  readonly sourcemap: boolean;
}

/**
 * Bundles the command and everything it imports into `folder`: `connected-registry.js`, which loads only the chunk of
 * the program that is asked for. Same sources, same bytes. Sources that do not compile leave the folder as it was.
 *
 * @returns esbuild's account of what went in
 */
export async function bundle({ folder, sourcemap }: BundleOptions): Promise<Metafile> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: {
      "connected-registry": "cli/main.ts",
      // A program of its own beside the chunk that runs it (see check-in-child.ts).
      "chunks/check-database": "registry/content/rescue/check-database.ts",
    },
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    chunkNames: "chunks/[name]-[hash]",
    // Names stay: stack traces are read without source maps, and libraries ask for the names of their classes.
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap,
    sourcesContent: false,
    legalComments: "none",
    metafile: true,
    plugins: [withoutBodyParsers],
    logLevel: "warning",
    // CommonJS dependencies (winston, express) call require for Node's own modules, which ES modules do not have.
    banner: {
      js: 'import{createRequire as makeRequire}from"node:module";const require=makeRequire(import.meta.url);',
    },
  });
  expectNamedImports(metafile);
  const command = join(folder, "connected-registry.js");
  if (outputFiles.find(({ path }) => path === command)?.text.startsWith("#!") !== true) {
    throw new Error("cli/main.ts must begin with #!/usr/bin/env node: npm runs the bundle as a command");
  }
  await rm(folder, { recursive: true, force: true });
  for (const { path, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
  await chmod(command, 0o755);
  return metafile;
}

/** Express loads all its body parsers, with tables of character sets; we read bodies ourselves (common/http/body.ts). */
const withoutBodyParsers: Plugin = {
  name: "without body parsers",
  setup(esbuild) {
    esbuild.onResolve({ filter: /^body-parser$/ }, ({ path }) => ({ path, namespace: "empty" }));
    esbuild.onLoad({ filter: /^/, namespace: "empty" }, () => ({ contents: "" }));
  },
};

/** `import()` of a CommonJS package has its names in Node, and none in a bundle: what works in tests would not here. */
function expectNamedImports({ outputs }: Metafile): void {
  for (const { entryPoint, exports } of Object.values(outputs)) {
    if (entryPoint?.includes("node_modules/") === true && exports.join() === "default") {
      throw new Error(`${entryPoint} is CommonJS: import() a file of ours that imports it statically`);
    }
  }
}

if (import.meta.main) await bundle({ folder: join(root, "dist"), sourcemap: true });
