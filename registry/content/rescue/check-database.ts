import { constants, setPriority } from "node:os";
import { checkDatabase } from "./checkup.ts";

// A program of its own, run by check-in-child.ts: whoever is being served goes first.
setPriority(constants.priority.PRIORITY_LOW);
process.stdout.write(JSON.stringify(checkDatabase(process.argv[2] ?? "")));
