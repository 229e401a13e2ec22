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

/**
 * The inputs whose content a carry changes. Outputs that lie in one need memory of their own: they are read, and carried
 * themselves, when it holds something else.
 *
 * @param outputs where each output lies
 * @param carry output → input that it is copied to
 */
export function changedInputs(
  outputs: Readonly<Record<string, Range>>,
  carry: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const [output, input] of Object.entries(carry)) {
    const range = outputs[output]!;
    if (!('input' in range && range.input === input)) changed.add(input);
  }
  return changed;
}
