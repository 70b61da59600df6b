import type { Section } from "./requirement.ts";

const head = `# Conformance

What the OCI distribution specification (1.1, and what its main branch has since) demands of a registry, in our words, and
what we add to it. Each row is a check in \`e2e/conformance/\`, which runs over HTTP against a ReadWrite and a ReadOnly
registry, with OCI's and with Docker's media types. A ReadOnly registry refuses what a row of kind *write* begins with, in
ACR's words. This file is made from the checks, and a test keeps it so.
`;

/** The requirements as a document. */
export function renderRequirements(sections: readonly Section[]): string {
  const tables = sections.map(({ title, requirements }) => {
    const rows = requirements.map(
      ({ id, level, kind, says }) => `| \`${id}\` | ${level} | ${kind} | ${says} |`,
    );
    return [`## ${title}`, "", "| id | level | kind | |", "| --- | --- | --- | --- |", ...rows, ""].join(
      "\n",
    );
  });
  return [head, ...tables].join("\n");
}
