import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Version of an installed npm package, such as `0.6.2`; `not installed` or `unknown` where there is none. */
export function packageVersion(name: string): string {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'not installed';
  }
}
