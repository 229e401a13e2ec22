/** Ranges of memory before it has a place. */

/** A range: of a plan's input or preset output, or of a tensor in the arena. Offsets and sizes in bytes. */
export type Range = Extent &
  ({ readonly input: string } | { readonly output: string } | { readonly stay: number });

interface Extent {
  readonly offset: number;
  readonly bytes: number;
  /** How many of the bytes are read, where tensors are bound together with what lies between them. */
  readonly used?: number;
}

/** Whether two ranges lie in one piece of memory. */
export function sameRoot(a: Range, b: Range): boolean {
  if ('stay' in a) return 'stay' in b && a.stay === b.stay;
  if ('output' in a) return 'output' in b && a.output === b.output;
  return 'input' in b && a.input === b.input;
}

export function overlaps(a: Range, b: Range): boolean {
  return sameRoot(a, b) && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}
