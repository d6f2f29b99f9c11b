/** Lets a few pieces of work be under way at the same time; none of them fails unheard. */
export class StepQueue {
  readonly #limit: number;
  #underWay: Promise<void>[] = [];
  #failure: { readonly error: unknown } | null = null;

  /** `limit`: how many may be under way when `add` resolves, and one more before. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes work that has begun; resolves when there is room for more. Rejects with the first failure of any. */
  async add(work: Promise<void>): Promise<void> {
    this.#underWay.push(work.catch((error: unknown) => void (this.#failure ??= { error })));
    while (this.#underWay.length > this.#limit) await this.#underWay.shift();
    this.#check();
  }

  /** Resolves when all of it is done; rejects with the first failure. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay.splice(0));
    this.#check();
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
