/** Ways to harm the folder of a finished run, and what `hypergrad check` says of each. */
import { execFileSync } from 'node:child_process';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../src/pipeline/store/manifest.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from '../../../src/pipeline/store/safetensors.js';

/** Replaces a file with one that the manifest vouches for, as if the stage had written it. */
async function replaceVouched(path: string, file: string, bytes: Uint8Array): Promise<void> {
  const before = sha256(await readFile(join(path, file)));
  await writeFile(join(path, file), bytes);
  const manifest = join(path, 'manifest.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replaceAll(before, sha256(bytes)));
}

export async function changeTensors(
  path: string,
  file: string,
  change: (tensors: Map<string, NamedTensor>) => void,
  more: Record<string, string> = {},
): Promise<void> {
  const { tensors, metadata } = decodeSafetensors(await readFile(join(path, file)), file);
  change(tensors);
  await replaceVouched(path, file, encodeSafetensors(tensors, { ...metadata, ...more }));
}

export const EXPERT = 'experts/expert-001.safetensors';
const lines = async (path: string): Promise<string[]> =>
  (await readFile(join(path, 'events.jsonl'), 'utf8')).split('\n');

/** A harm, the file that is then found to be flawed (null: the folder), and words of the finding. */
export type Harm = readonly [
  what: string,
  file: string | null,
  says: RegExp,
  harm: (path: string) => Promise<unknown>,
];

export const harms: readonly Harm[] = [
  ['a missing artefact', EXPERT, /missing/, (path) => rm(join(path, EXPERT))],
  [
    'a changed byte',
    'targets.safetensors',
    /SHA-256/,
    async (path) => {
      const bytes = await readFile(join(path, 'targets.safetensors'));
      bytes[bytes.length - 1]! ^= 1;
      await writeFile(join(path, 'targets.safetensors'), bytes);
    },
  ],
  ['a file cut short', EXPERT, /SHA-256/, (path) => truncate(join(path, EXPERT), 100)],
  [
    'a tensor file that is none',
    'subset.safetensors',
    /subset\.safetensors/,
    (path) => replaceVouched(path, 'subset.safetensors', new TextEncoder().encode('no tensors at all')),
  ],
  [
    'a number that is not finite',
    'synthetic.safetensors',
    /tensor images holds a number that is not finite/,
    (path) =>
      changeTensors(path, 'synthetic.safetensors', (tensors) => {
        tensors.get('images')!.data[3] = Number.NaN;
      }),
  ],
  [
    'a tensor of another shape',
    EXPERT,
    /tensor losses is \[2\], not \[3\]/,
    (path) =>
      changeTensors(path, EXPERT, (tensors) => {
        tensors.set('losses', { dtype: 'F32', shape: [2], data: new Float32Array(2) });
      }),
  ],
  [
    'representations of fewer images than there are numbers',
    'representations.safetensors',
    /tensor mkdt is \[1, 8\], not \[200, 8\]/,
    (path) =>
      changeTensors(path, 'representations.safetensors', (tensors) => {
        tensors.set('mkdt', { dtype: 'F32', shape: [1, 8], data: new Float32Array(8) });
      }),
  ],
  [
    'a tensor that is missing',
    'synthetic.safetensors',
    /no tensor innerStep/,
    (path) => changeTensors(path, 'synthetic.safetensors', (tensors) => tensors.delete('innerStep')),
  ],
  [
    'a file of a newer version',
    'teacher.safetensors',
    /version 7, written by a newer hypergrad/,
    (path) => changeTensors(path, 'teacher.safetensors', () => {}, { version: '7' }),
  ],
  [
    'a manifest that is none',
    'manifest.json',
    /damaged/,
    (path) => writeFile(join(path, 'manifest.json'), '{'),
  ],
  ['no manifest', 'manifest.json', /does not exist/, (path) => rm(join(path, 'manifest.json'))],
  [
    'a manifest of a newer version',
    'manifest.json',
    /newer hypergrad/,
    (path) => writeFile(join(path, 'manifest.json'), '{"version":99,"stages":{}}'),
  ],
  [
    'a manifest that leads out of the folder',
    null,
    /"\.\.\/\.\.\/secret".*leads out of the folder/,
    async (path) => {
      const manifest = join(path, 'manifest.json');
      const text = await readFile(manifest, 'utf8');
      await writeFile(manifest, text.replace('"teacher.safetensors"', '"../../secret"'));
    },
  ],
  [
    'a configuration that is none',
    'config.yaml',
    /config\.yaml/,
    (path) => writeFile(join(path, 'config.yaml'), 'teacher: 7'),
  ],
  ['no configuration', 'config.yaml', /does not exist/, (path) => rm(join(path, 'config.yaml'))],
  [
    'a configuration that is a pipe, which is not waited for',
    'config.yaml',
    /pipe/,
    async (path) => {
      await rm(join(path, 'config.yaml'));
      execFileSync('mkfifo', [join(path, 'config.yaml')]);
    },
  ],
  [
    'an event that is missing',
    'events.jsonl',
    /Of the stage distil, iteration 2 stands where iteration 1 is expected/,
    async (path) =>
      writeFile(
        join(path, 'events.jsonl'),
        (await lines(path)).filter((line) => !line.includes('"iteration":1,')).join('\n'),
      ),
  ],
  [
    'an event that stands twice',
    'events.jsonl',
    /expert 0, epoch 2 stands twice/,
    async (path) =>
      writeFile(
        join(path, 'events.jsonl'),
        (await lines(path))
          .flatMap((line) => (line.includes('"expert":0,"epoch":2') ? [line, line] : [line]))
          .join('\n'),
      ),
  ],
  [
    'events that end too early',
    'events.jsonl',
    /stage distil is done, and iteration 3 and what follows it are missing/,
    async (path) =>
      writeFile(
        join(path, 'events.jsonl'),
        (await lines(path)).filter((line) => !line.includes('"iteration":3,')).join('\n'),
      ),
  ],
  [
    'a line that is no event',
    'events.jsonl',
    /Line 1 is no event/,
    async (path) => writeFile(join(path, 'events.jsonl'), `noise\n${(await lines(path)).join('\n')}`),
  ],
  [
    'a line that names a thing twice, at which a run stops',
    'events.jsonl',
    /Line 1 is no event/,
    async (path) =>
      writeFile(join(path, 'events.jsonl'), `{"stage":"a","stage":"b"}\n${(await lines(path)).join('\n')}`),
  ],
  [
    'damaged numbers of the standardisation',
    'standardisation.json',
    /damaged/,
    (path) => writeFile(join(path, 'standardisation.json'), '{"version":1}'),
  ],
  ['no result', 'result.json', /does not exist/, (path) => rm(join(path, 'result.json'))],
  ['a damaged result', 'result.json', /damaged/, (path) => writeFile(join(path, 'result.json'), '{')],
  [
    'a result that says nothing, of which no report is made',
    'result.json',
    /damaged/,
    (path) => writeFile(join(path, 'result.json'), '{}'),
  ],
  ['half a report', 'report.html', /no whole page/, (path) => truncate(join(path, 'report.html'), 1000)],
  [
    'an evaluation of other seeds',
    'evaluation.json',
    /does not hold 1 evaluation seeds/,
    async (path) => {
      const text = await readFile(join(path, 'evaluation.json'), 'utf8');
      const changed = text.replace(/"accuracies": \[/, '"accuracies": [0.5,');
      await replaceVouched(path, 'evaluation.json', new TextEncoder().encode(changed));
    },
  ],
  [
    'a snapshot that is missing',
    'snapshots/synthetic-000002.png',
    /missing/,
    (path) => rm(join(path, 'snapshots/synthetic-000002.png')),
  ],
];
