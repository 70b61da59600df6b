import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { DateTime } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import { every } from "../../common/every.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import { readCertificate, type Certificate, type CertificateFiles } from "./certificate.ts";

const interval = seconds(86_400);
/** How long before its end a certificate is made anew: long enough to tell clients. */
const renewalDays = 30;

/**
 * A certificate that is signed by itself, kept in `files`: made when there is none, made anew before it expires and when
 * it does not name every host. Who serves with it learns of a new one by reading the files.
 */
export class OwnCertificate implements Service {
  readonly name = "own-certificate";
  private readonly files: CertificateFiles;
  private readonly hosts: readonly string[];
  private readonly clock: Clock;
  private readonly log: Logger;

  constructor(files: CertificateFiles, hosts: readonly string[], clock: Clock, log: Logger) {
    this.files = files;
    this.hosts = hosts;
    this.clock = clock;
    this.log = log;
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    await every(interval, () => this.renew(), this.clock, signal);
  }

  /** @returns a certificate that is good for every host, and for a while */
  async ensure(): Promise<Certificate> {
    // One that cannot be read is none: a crash may have come between the two files.
    const kept = await readCertificate(this.files).catch(() => undefined);
    if (kept !== undefined && isGood(kept, this.hosts, this.clock.now())) return kept;
    const { makeSelfSigned } = await import("./self-signed.ts");
    await makeSelfSigned(this.files, this.hosts, this.clock);
    const made = await readCertificate(this.files);
    this.log.warn("made a certificate, signed by itself: tell clients to trust it", {
      file: this.files.cert,
      hosts: this.hosts,
      fingerprint: new X509Certificate(made.cert).fingerprint256,
    });
    return made;
  }

  /** Looks whether it is time, now. */
  async renew(): Promise<void> {
    try {
      await this.ensure();
    } catch (error) {
      this.log.error("the certificate cannot be made anew", { error: messageOf(error) });
    }
  }
}

function isGood({ cert }: Certificate, hosts: readonly string[], now: DateTime<true>): boolean {
  const certificate = new X509Certificate(cert);
  const names = (host: string): boolean =>
    (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
  return Date.parse(certificate.validTo) > now.plus({ days: renewalDays }).toMillis() && hosts.every(names);
}
