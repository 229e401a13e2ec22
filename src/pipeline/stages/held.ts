/** What a stage holds on the device: given back all together at its end, or where one thing more could not be had. */
export class Held {
  readonly #releases: (() => void)[] = [];

  /** Takes over what has just been made, and returns it. */
  take<Thing extends { release(): void }>(thing: Thing): Thing {
    this.#releases.push(() => thing.release());
    return thing;
  }

  /** The same for what is given back by a call of its own. */
  takeWith<Thing>(thing: Thing, release: (thing: Thing) => void): Thing {
    this.#releases.push(() => release(thing));
    return thing;
  }

  /** Gives all back, what was taken last first. */
  release(): void {
    for (const release of this.#releases.splice(0).reverse()) release();
  }
}
