export interface BufferLimits {
  /** Of all buffers together, as long as no more transfers run than have room for their least. */
  readonly total: number;
  readonly largest: number;
  readonly smallest: number;
}

const defaults: BufferLimits = { total: 8 * 1024 ** 2, largest: 512 * 1024, smallest: 16 * 1024 };

/**
 * Buffers for transfers, used again and again: a buffer that is allocated anew for each chunk costs time, and leaves holes.
 * The more transfers run, the smaller are their buffers: one goes at full speed, and hundreds stay within bounds. When none
 * runs no memory is kept.
 */
export class TransferBuffers {
  private readonly limits: BufferLimits;
  private readonly free: Buffer[] = [];
  private transfers = 0;
  private inUse = 0;
  private resting = 0;

  /** Powers of two. */
  constructor(limits: BufferLimits = defaults) {
    this.limits = limits;
  }

  /** How many bytes are in use or kept. */
  get bytes(): number {
    return this.inUse + this.resting;
  }

  /** Whether few transfers run, so that it pays to read ahead. */
  get quiet(): boolean {
    return this.transfers <= 2;
  }

  /** A transfer begins. */
  begin(): void {
    this.transfers++;
  }

  /** A transfer has ended, and gave back what it took. */
  end(): void {
    this.transfers--;
    if (this.transfers === 0) while (this.free.length > 0) this.release();
  }

  /** A buffer for one read and one write; its content is whatever was there. */
  take(): Buffer {
    const size = this.fairSize();
    const found = this.free.findLastIndex(({ length }) => length === size);
    const [kept] = found < 0 ? [] : this.free.splice(found, 1);
    if (kept !== undefined) this.resting -= size;
    while (this.free.length > 0 && this.bytes + size > this.limits.total) this.release();
    this.inUse += size;
    return kept ?? Buffer.allocUnsafeSlow(size);
  }

  /** Nobody reads or writes it any more. */
  give(buffer: Buffer): void {
    this.inUse -= buffer.length;
    this.resting += buffer.length;
    this.free.push(buffer);
    while (this.bytes > this.limits.total && this.free.length > 0) this.release();
  }

  /** The largest that leaves as much to every other transfer, and that there is room for. */
  private fairSize(): number {
    const { total, largest, smallest } = this.limits;
    const share = Math.min(total / Math.max(1, this.transfers), total - this.inUse);
    let size = largest;
    while (size > share && size > smallest) size /= 2;
    return size;
  }

  private release(): void {
    const buffer = this.free.shift();
    if (buffer === undefined) return;
    this.resting -= buffer.length;
    // Gives the memory back at once instead of when V8 happens to collect.
    (buffer.buffer as ArrayBuffer).transfer(0);
  }
}
