import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { seconds, type Clock } from "../../common/clock.ts";
import { every } from "../../common/every.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";

/** A certificate chain and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** @throws if a file cannot be read, or the two do not belong together */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(files.cert, "utf8"), readFile(files.key, "utf8")]);
  createSecureContext({ cert, key });
  // An empty text passes for no certificate.
  new X509Certificate(cert);
  return { cert, key };
}

/** Who serves with a certificate. */
export interface CertificateUser {
  useCertificate(certificate: Certificate): void;
}

/** A certificate in use, and the files it came from. */
export interface CertificateInUse {
  readonly files: CertificateFiles;
  readonly current: Certificate;
}

const interval = seconds(5);
/** How long before its end a certificate is told of. */
const noticeMs = 14 * 24 * 3600 * 1000;

/**
 * Reads the files again and again, and hands a changed certificate on. They are read rather than watched: a mounted Secret
 * changes by a symbolic link two levels up, of which a watch of the file says nothing. Says when the certificate's end is
 * near, and when it is over.
 */
export class CertificateReload implements Service {
  readonly name = "certificate";
  private readonly files: CertificateFiles;
  private readonly user: CertificateUser;
  private readonly clock: Clock;
  private readonly log: Logger;
  private current: Certificate;
  /** When the one in use expires, in milliseconds since 1970. */
  private expires: number;
  /** What was said of that. */
  private said: "nothing" | "soon" | "expired" = "nothing";

  constructor({ files, current }: CertificateInUse, user: CertificateUser, clock: Clock, log: Logger) {
    this.files = files;
    this.current = current;
    this.expires = endOf(current);
    this.user = user;
    this.clock = clock;
    this.log = log;
  }

  /** The one in use. */
  get inUse(): Certificate {
    return this.current;
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    await every(interval, () => this.check(), this.clock, signal);
  }

  /** Looks at the files now. */
  async check(): Promise<void> {
    await this.read();
    this.tellOfEnd();
  }

  private async read(): Promise<void> {
    try {
      const next = await readCertificate(this.files);
      if (next.cert === this.current.cert && next.key === this.current.key) return;
      this.user.useCertificate(next);
      this.current = next;
      this.expires = endOf(next);
      this.said = "nothing";
      this.log.info("the certificate has changed and is in use", { file: this.files.cert });
    } catch (error) {
      this.log.warn("the certificate files cannot be used: the certificate in use stays", { error });
    }
  }

  private tellOfEnd(): void {
    const left = this.expires - this.clock.millis();
    const say = left <= 0 ? "expired" : left <= noticeMs ? "soon" : "nothing";
    if (say === this.said) return;
    this.said = say;
    const fields = { file: this.files.cert, expires: new Date(this.expires).toISOString() };
    if (say === "soon") this.log.warn("the certificate expires soon: put another into its files", fields);
    if (say === "expired") {
      this.log.error(
        "the certificate has expired, and clients refuse it: put another into its files",
        fields,
      );
    }
  }
}

function endOf({ cert }: Certificate): number {
  return Date.parse(new X509Certificate(cert).validTo);
}
