import { cp } from "node:fs/promises";
import { join } from "node:path";
import { openMemoryContent } from "../content.ts";
import type { MortalStore } from "./commands.ts";
import { inspect } from "./inspect.ts";
import { openStore, storeOptions } from "./open.ts";

/** Below `folder`. A crash leaves what was written, though nobody closed it. */
export function storeOnDisk(folder: string): MortalStore {
  let lives = 0;
  const directory = (): string => join(folder, String(lives));
  return {
    open: (performer) => openStore(directory(), performer),
    crash: async (content, performer) => {
      const before = directory();
      lives += 1;
      await cp(before, directory(), { recursive: true });
      await content.close();
      return openStore(directory(), performer);
    },
    end: async (content) => {
      await content.close();
      await inspect(directory());
    },
  };
}

/** In memory, which nothing crashes. */
export const storeInMemory: MortalStore = {
  open: (performer) => openMemoryContent(storeOptions(performer)),
  crash: (content) => Promise.resolve(content),
  end: (content) => content.close(),
};
