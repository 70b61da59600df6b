import { digestOf } from "../../common/oci/digest.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { ContentNotFoundError } from "../content/store.ts";
import {
  ChangedMeanwhileError,
  DeniedError,
  NotFoundError,
  ProtocolError,
  RateLimitedError,
  UnknownPartError,
  UnreachableError,
} from "../remote/errors.ts";
import { refusalOf } from "./refusal.ts";

const digest = digestOf("layer");

test.each([
  { error: new DeniedError("no"), says: "right", because: "403" },
  { error: new NotFoundError("no"), says: "create it", because: "404 for the repository" },
  { error: new ProtocolError("no", 405), says: "does not allow", because: "405" },
  { error: new ProtocolError("no", 400), says: "refuses", because: "it will say so again" },
  { error: new ProtocolError("no", 413), says: "refuses", because: "it takes not even small parts" },
  {
    error: new UnknownPartError("no", [digest]),
    says: "lacks parts",
    because: "they were sent again already (T23)",
  },
  { error: new ContentNotFoundError(digest), says: digest, because: "it is not here any more" },
  { error: new InvalidManifestError("it is none"), says: "it is none", because: "it stays what it is" },
])("$error.name is for a person: $because", ({ error, says }) => {
  expect(refusalOf(error)).toContain(says);
});

test.each([
  { error: new UnreachableError("503"), because: "the parent may come back" },
  { error: new RateLimitedError("429", undefined), because: "it wants us to wait" },
  { error: new ChangedMeanwhileError("412"), because: "somebody was faster once more" },
  { error: new ProtocolError("nonsense"), because: "nobody knows what that was" },
  { error: new ProtocolError("no", 416), because: "the next try asks how far it is" },
  { error: new Error("a fault of our own"), because: "it is not the parent's" },
])("$error.name is tried again: $because", ({ error }) => {
  expect(refusalOf(error)).toBeUndefined();
});
