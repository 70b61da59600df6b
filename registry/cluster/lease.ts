import { seconds, type Clock } from "../../common/clock.ts";
import type { ClusterApi } from "../../common/cluster/api.ts";
import {
  leaseDurationSeconds,
  leaseRenewSeconds,
  reporterFieldManager,
} from "../../common/contract/status.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { ClusterIdentity } from "../configuration/serve-config.ts";

/** Renews our Lease: the sign of life without which the operator takes us for gone. */
export class LeaseRenewal implements Service {
  readonly name = "lease";
  private readonly api: ClusterApi;
  private readonly place: ClusterIdentity;
  private readonly holder: string;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly recovered: () => void;

  /**
   * @param holder the pod's name
   * @param recovered called when the Lease is renewed after it had run out, or for the first time
   */
  constructor(
    api: ClusterApi,
    place: ClusterIdentity,
    holder: string,
    clock: Clock,
    log: Logger,
    recovered: () => void,
  ) {
    this.api = api;
    this.place = place;
    this.holder = holder;
    this.clock = clock;
    this.log = log;
    this.recovered = recovered;
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.renewForever(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private async renewForever(signal: AbortSignal): Promise<never> {
    let renewed = this.clock.now().minus(seconds(2 * leaseDurationSeconds));
    let failing = false;
    for (;;) {
      try {
        await this.renew(signal);
        const now = this.clock.now();
        if (now > renewed.plus(seconds(leaseDurationSeconds))) this.recovered();
        renewed = now;
        failing = false;
      } catch (error) {
        signal.throwIfAborted();
        if (!failing) this.log.warn("the lease cannot be renewed, trying again", { error: messageOf(error) });
        failing = true;
      }
      await this.clock.sleep(seconds(leaseRenewSeconds), signal);
    }
  }

  private renew(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.place;
    const apiVersion = "coordination.k8s.io/v1";
    return this.api.apply(
      `/apis/${apiVersion}/namespaces/${namespace}/leases/${name}`,
      reporterFieldManager,
      {
        apiVersion,
        kind: "Lease",
        metadata: { namespace, name },
        spec: {
          holderIdentity: this.holder,
          leaseDurationSeconds,
          // MicroTime: exactly six digits after the second.
          renewTime: this.clock.now().toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'000Z'"),
        },
      },
      signal,
    );
  }
}
