/**
 * Kinds of tests, for `npm run test:unit`, `test:golden`, `test:browser` and `test:runs`: together they are all of `npm test`. A file's
 * kind is told from where it lies and what it reads, so that a new one has its kind without a list.
 */
import { sourceTree } from './sourceTree.js';

export const kinds = ['browser', 'golden', 'runs', 'unit'] as const;
export type Kind = (typeof kinds)[number];

/** What a test imports that runs stages of the pipeline, commands, or processes of its own. */
const RUNS =
  /from '[^']*(\/pipeline\/(run|runStage)\.js|\/cli\/program\.js|\/support\/(command|startCommand|tinyStages|study|recoveredRun|writeFaults|faults\/\w+)\.js|\/studies\/study\.js|\/stages\/(teacher|targets|experts|distil)\.js|\/soak\/soak\.js|\/bundle\.js|node:child_process)'/;
/** What a test imports that opens a browser. */
const BROWSER = /from '[^']*\/browser\/\w+\.js'/;

/** The kind of a test file, from its path and its text. */
export function kindOf(path: string, text: string): Kind {
  if (/^test\/(browser|web)\//.test(path) || BROWSER.test(text)) return 'browser';
  if (text.includes('../shared/golden')) return 'golden';
  return RUNS.test(text) ? 'runs' : 'unit';
}

/** All test files of a kind, from the root of the repository. */
export const testFilesOf = (wanted: Kind): string[] =>
  Object.entries(sourceTree('test'))
    .filter(([path, text]) => path.endsWith('.test.ts') && kindOf(path, text) === wanted)
    .map(([path]) => path);
