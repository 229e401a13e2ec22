import { constants } from 'node:os';

/** glibc's RTLD_NODELETE, which Node does not name: the library stays although it is no add-on. */
const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library into the process for Dawn to find it by its name afterwards.
 * @returns whether it is loaded.
 */
export function loadLibrary(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    // Node complains that the library is no add-on of its own, after loading it.
    return error instanceof Error && error.message.includes('did not self-register');
  }
}

let systemLoader: boolean | undefined;

/**
 * Whether Dawn can look for the system's adapters. On Linux that needs the Vulkan loader; Dawn prints a
 * warning of its own where it is missing, so it is looked for first. Answered once, before a bundled loader
 * is in the process and would answer to the same name.
 */
export function hasSystemAdapters(): boolean {
  if (process.platform !== 'linux') return true;
  systemLoader ??= loadLibrary('libvulkan.so.1');
  return systemLoader;
}

/** Runs `work` with environment variables set for native libraries to read, and puts the old values back. */
export async function withEnvironment<T>(
  values: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
