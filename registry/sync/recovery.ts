/** Counts what asks for a full sync because content is missing here that the parent may have. */
export class Recovery {
  private wanted = 0;
  private met = 0;

  request(): void {
    this.wanted += 1;
  }

  get due(): boolean {
    return this.wanted > this.met;
  }

  /** A sync begins. @returns to be called if it tried everything: it met what was asked for until now */
  begin(): () => void {
    const meets = this.wanted;
    return () => {
      this.met = meets;
    };
  }
}
