import type { Page } from 'playwright-core';
import type { InsideGradient } from '../../web/inside.js';

/** The parts of a hypergradient, in a form that a worker can hand over. */
export interface Parts {
  readonly contributions: number[][];
  readonly adjointNorms: number[];
}

/** Asks the page's worker past the page. */
export async function askWorker(page: Page, method: 'lookInside' | 'loseDevice'): Promise<Parts | null> {
  return await page.workers()[0]!.evaluate(
    (name) =>
      new Promise<Parts | null>((resolve, reject) => {
        const post = globalThis.postMessage;
        globalThis.postMessage = (response: {
          id?: number;
          result: InsideGradient | null;
          error?: unknown;
        }) => {
          if (response.id !== -1) return post.call(globalThis, response);
          globalThis.postMessage = post;
          const { result, error } = response;
          if (error !== undefined) reject(new Error(JSON.stringify(error)));
          else if (result === null) resolve(null);
          else {
            const contributions = result.contributions.map((part) => [...part]);
            resolve({ contributions, adjointNorms: [...result.adjointNorms] });
          }
        };
        const data = { id: -1, method: name, arguments: [] };
        globalThis.dispatchEvent(new MessageEvent('message', { data }));
      }),
    method,
  );
}
