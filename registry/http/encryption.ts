import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
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

/** @throws {InvalidConfigError} that says of a certificate that is given what is wrong with which of its files */
export async function checkCertificate({ cert, key }: CertificateFiles): Promise<void> {
  const faults: string[] = [];
  const attempt = async <T>(
    option: string,
    read: () => T | Promise<T>,
    what?: string,
  ): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      faults.push(`${option}: ${what ?? `cannot be read: ${messageOf(error)}`}`);
      return undefined;
    }
  };
  const [certText, keyText] = [
    await attempt("--tls-cert", () => readFile(cert, "utf8")),
    await attempt("--tls-key", () => readFile(key, "utf8")),
  ];
  const certificate =
    certText === undefined
      ? undefined
      : await attempt(
          "--tls-cert",
          () => new X509Certificate(certText),
          `${cert} holds no certificate in PEM`,
        );
  const privateKey =
    keyText === undefined
      ? undefined
      : await attempt(
          "--tls-key",
          () => createPrivateKey(keyText),
          `${key} holds no key in PEM without a passphrase`,
        );
  if (certificate !== undefined && privateKey !== undefined) {
    if (!certificate.checkPrivateKey(privateKey)) {
      faults.push(`--tls-key: ${key} is not the key of the first certificate in ${cert}`);
    } else await attempt("--tls-cert, --tls-key", () => readCertificate({ cert, key }));
  }
  if (faults.length > 0) throw new InvalidConfigError(...faults);
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
