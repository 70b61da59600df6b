import.meta.jest.setTimeout(globalThis.testTimeoutMs);
