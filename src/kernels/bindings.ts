/** What a finished kernel does with each of its bindings, told from its WGSL. */

/** WGSL of a storage binding, in the form that the functions below read. */
export const storageBinding = (binding: number, name: string, type = 'f32'): string =>
  `@group(0) @binding(${binding}) var<storage, read_write> ${name}: array<${type}>;`;

export type BindingAccess = 'read' | 'write' | 'update';

const DECLARATION = /@binding\((\d+)\)\s*var<storage[^>]*>\s*(\w+)/g;

/** The place after the bracket that closes the one at `opening`. */
function afterBrackets(code: string, opening: number): number {
  let depth = 0;
  for (let at = opening; at < code.length; at++) {
    if (code[at] === '[') depth++;
    else if (code[at] === ']' && --depth === 0) return at + 1;
  }
  return code.length;
}

/**
 * Whether a kernel reads, writes or updates (reads and writes) each binding, in the bindings' order. A binding that
 * the code never names counts as read.
 *
 * @param code WGSL without comments, whose storage is used as `name[index]` only
 */
export function bindingAccess(code: string): readonly BindingAccess[] {
  const result: BindingAccess[] = [];
  for (const [, binding, name] of code.matchAll(DECLARATION)) {
    let reads = false;
    let writes = false;
    for (const use of code.matchAll(new RegExp(`\\b${name}\\s*\\[`, 'g'))) {
      const rest = code.slice(afterBrackets(code, use.index)).trimStart();
      const assigns = /^=(?!=)/.test(rest);
      const updates = /^(<<|>>|[-+*/%&|^])=/.test(rest);
      writes ||= assigns || updates;
      reads ||= !assigns;
    }
    result[Number(binding)] = writes ? (reads ? 'update' : 'write') : 'read';
  }
  return result;
}

/**
 * Gives every storage array of numbers its length: where it is known, a software device need not work it out, by a division, at
 * each access.
 *
 * @param elements number of elements of each binding, in the bindings' order
 */
export function withLengths(code: string, elements: readonly number[]): string {
  return code.replace(
    /(@binding\((\d+)\)\s*var<storage[^>]*>\s*\w+\s*:\s*array<(?:f32|i32|u32))>/g,
    (_, head: string, binding: string) => `${head}, ${elements[Number(binding)]!}>`,
  );
}
