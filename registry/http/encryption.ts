import { join } from "node:path";
import type { Clock } from "../../common/clock.ts";
import { InvalidConfigError } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import { readCertificate, type CertificateFiles, type CertificateInUse } from "./certificate.ts";
import { OwnCertificate } from "./own-certificate.ts";

/** How clients reach the registry: in the clear, with a certificate that is given, or with one made and kept in its data. */
export type Encryption =
  | { readonly kind: "none" }
  | { readonly kind: "files"; readonly cert: string; readonly key: string }
  | { readonly kind: "selfSigned" };

/** @throws {InvalidConfigError} if a certificate that is given cannot be used */
export async function checkCertificate(files: CertificateFiles): Promise<void> {
  try {
    await readCertificate(files);
  } catch (error) {
    throw new InvalidConfigError(`--tls-cert, --tls-key: cannot be used: ${messageOf(error)}`);
  }
}

/**
 * The certificate to begin with, and who keeps it good; without encryption none.
 *
 * @param hosts the names and addresses for which one is made, if one is made
 */
export async function ensureCertificate(
  encryption: Encryption,
  data: string,
  hosts: readonly string[],
  clock: Clock,
  log: Logger,
): Promise<(CertificateInUse & { readonly keepers: readonly Service[] }) | undefined> {
  if (encryption.kind === "none") return undefined;
  if (encryption.kind === "files") {
    return { files: encryption, current: await readCertificate(encryption), keepers: [] };
  }
  const files = { cert: join(data, "tls", "tls.crt"), key: join(data, "tls", "tls.key") };
  const own = new OwnCertificate(files, hosts, clock, log);
  return { files, current: await own.ensure(), keepers: [own] };
}
