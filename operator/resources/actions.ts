import { InvalidScopeError, parseScope } from "../../common/contract/scope.ts";

/** Whether `action` of a scope map can be read. The scope map's own condition names what cannot; the rest of it holds. */
export function isScope(action: string): boolean {
  try {
    parseScope(action);
    return true;
  } catch (error) {
    if (error instanceof InvalidScopeError) return false;
    throw error;
  }
}
