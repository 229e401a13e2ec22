/** No file of src that reads what others may have made is left out of the list of readers. */
import { posix } from 'node:path';
import { expect, it } from 'vitest';
import { importsOf } from '../support/architecture.js';
import { isTypeScript, sourceTree } from '../support/sourceTree.js';
import { readers } from './readers.js';

/** Calls that make something of bytes or text, or fetch them. */
const READS =
  /\b(parseJson|JSON\.parse|decodeSafetensors|decodeHeader|decodeNpy|readBounded|readTextSync|openRegular|parseDocument|readFile)\(/;

/** Files that the list does not import, each with the reader that comes to it. */
const BEHIND: Readonly<Record<string, string>> = {
  'src/cli/commands/evaluate.ts': 'synthetic set',
  'src/pipeline/check/eventOrder.ts': 'checked run',
  'src/pipeline/check/scannedFolder.ts': 'checked run',
  'src/pipeline/check/results.ts': 'checked run',
  'src/pipeline/config/yamlText.ts': 'configuration',
  'src/pipeline/data/folders.ts': 'cifar folder',
  'src/pipeline/data/standardisation.ts': 'report',
  'src/pipeline/report/runFacts.ts': 'report',
  'src/pipeline/stages/context.ts': 'report',
  'src/pipeline/store/boundedFile.ts': 'events.jsonl',
  'src/pipeline/store/lockOwner.ts': 'checked run',
  'src/pipeline/store/strictJson.ts': 'evaluation.json',
  'src/pipeline/sweep/claim.ts': 'sweep folder',
  'src/pipeline/sweep/runJob.ts': 'share',
  'src/pipeline/tune/store.ts': 'tuning',
  'src/pipeline/verify/verify.ts': 'reference case',
  'src/pipeline/watch/losses.ts': 'watched run',
  'src/pipeline/watch/synthetic.ts': 'watched run',
  'src/pipeline/watch/trail.ts': 'watched run',
};

/** Files whose input is nobody else's. */
const OWN: Readonly<Record<string, string>> = {
  'src/gpu/node/bundledArchives.ts': 'what it wrote itself into the cache folder',
  'src/gpu/node/packageVersion.ts': 'the package.json of an installed package',
  'src/pipeline/compare/compareRuns.ts': 'text that it has just made of parsed values',
  'src/pipeline/recovery.ts': 'the manifest of the run at work, for its hash alone',
  'src/pipeline/store/lock.ts': 'the file that this process wrote',
  'src/pipeline/studies/study.ts':
    'study.json, when the manifest holds its hash beside what it was measured from',
  'src/pipeline/sweep/dataIdentity.ts': 'what it wrote itself into the cache folder',
};

it('every file that reads is in the list of readers, behind one of it, or reads nobody else’s', () => {
  const own = sourceTree('test/fuzz');
  const imported = new Set(
    Object.entries(own).flatMap(([path, text]) =>
      isTypeScript(path)
        ? importsOf(text).map((name) => posix.join('test/fuzz', name).replace(/\.js$/, '.ts'))
        : [],
    ),
  );
  const reading = Object.entries(sourceTree('src')).flatMap(([path, text]) =>
    isTypeScript(path) && READS.test(text) ? [path] : [],
  );
  expect(reading.length).toBeGreaterThan(30);
  const known = (path: string): boolean =>
    imported.has(path) || Object.hasOwn(BEHIND, path) || Object.hasOwn(OWN, path);
  expect(reading.filter((path) => !known(path))).toEqual([]);
  const names = readers.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.values(BEHIND)));
});
