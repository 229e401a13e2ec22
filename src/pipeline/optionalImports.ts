/** The optional packages that the pipeline computes nothing with: pictures and charts. Loaded when they are first needed. */
import {
  absentPackages,
  loadOptional,
  type OptionalPackage,
  resolveOptional,
} from '../gpu/node/optionalPackage.js';

/** The decoder and encoder of pictures. Throws `MissingPackageError`. */
export const importSharp = async (): Promise<typeof import('sharp')['default']> =>
  (await loadOptional('sharp', () => import('sharp'))).default;

/** What draws charts. Throws `MissingPackageError`. */
export async function importVega(): Promise<{
  readonly vega: typeof import('vega');
  readonly compile: typeof import('vega-lite')['compile'];
}> {
  const [vega, { compile }] = await Promise.all([
    loadOptional('vega', () => import('vega')),
    loadOptional('vega-lite', () => import('vega-lite')),
  ]);
  return { vega, compile };
}

const PAGE_PACKAGES: ReadonlySet<OptionalPackage> = new Set(['sharp', 'vega', 'vega-lite']);

/**
 * Looks whether what a page is made with is installed, without loading it.
 *
 * @throws MissingPackageError
 */
export function findPagePackages(): void {
  const absent = absentPackages().find(({ name }) => PAGE_PACKAGES.has(name));
  if (absent !== undefined) resolveOptional(absent.name);
}

/**
 * Loads what a page with pictures and charts is made with: long work is not begun where its result could not be shown.
 *
 * @throws MissingPackageError
 */
export async function requirePagePackages(): Promise<void> {
  await importSharp();
  await importVega();
}
