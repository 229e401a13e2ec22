/** The command `hypergrad init`: the first configuration of one's own, and the schema with which an editor completes it. */
import { basename, dirname, extname, join, relative } from 'node:path';
import { Command, Option } from 'commander';
import { ConfigError } from '../../errors.js';
import { commentedYaml } from '../../pipeline/config/commentedYaml.js';
import { configJsonSchema } from '../../pipeline/config/describe.js';
import { type Fields, valueAt } from '../../pipeline/config/paths.js';
import { resolveConfig } from '../../pipeline/config/resolve.js';
import { subsetSize } from '../../pipeline/config/rules.js';
import type { Config } from '../../pipeline/config/schema.js';
import { heldOutCount } from '../../pipeline/data/dataset.js';
import { type DataReport, inspectData } from '../../pipeline/data/inspect.js';
import { quote } from '../../pipeline/shellWord.js';
import { exists } from '../../pipeline/store/exists.js';
import { DEFAULT_PRESET } from '../asked.js';
import { writeOutput } from '../outputFile.js';
import { voiceOf } from '../voice.js';

const DEFAULT_FILE = 'hypergrad.yaml';
const SCHEMA_FILE = 'hypergrad.schema.json';

/** What people change first; `--full` writes all the others too. */
const FIRST_FIELDS = [
  'seed',
  'data.source',
  'data.folder',
  'data.train',
  'data.test',
  'data.pool',
  'teacher.steps',
  'student.depth',
  'student.width',
  'experts.count',
  'experts.epochs',
  'subset.fraction',
  'distil.iterations',
  'distil.steps',
  'distil.batch',
  'evaluate.labels',
  'evaluate.seeds',
];

interface InitFlags {
  readonly preset: string;
  readonly data?: string;
  readonly full?: boolean;
  readonly force?: boolean;
  /** False with `--no-schema`. */
  readonly schema: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** The fields of `paths` alone, in their groups. */
function pick(fields: Fields, paths: readonly string[]): Fields {
  const picked: Fields = {};
  for (const path of paths) {
    const names = path.split('.');
    let group = picked;
    for (const name of names.slice(0, -1)) {
      group[name] ??= {};
      group = group[name] as Fields;
    }
    group[names.at(-1)!] = valueAt(fields, names);
  }
  return picked;
}

/** Most of a folder's images that a synthetic set is made as large as, so that the batches of the preset fit into it. */
const MOST_FRACTION = 0.5;

/** A larger synthetic set where a folder has too few images for the preset's batches, and smaller batches where that is not enough. */
function roomForBatches(config: Config, { train, test }: DataReport): [path: string, value: number][] {
  const { distil, evaluate, subset, data } = config;
  const count = test === null ? train - heldOutCount(data, train) : train;
  const wanted = Math.max(distil.batch, evaluate.batch);
  if (subsetSize(subset.fraction, count) >= wanted) return [];
  const fraction = Math.min(MOST_FRACTION, Math.ceil((100 * wanted) / count) / 100);
  const size = subsetSize(fraction, count);
  return [
    ['subset.fraction', fraction],
    ['distil.batch', Math.min(distil.batch, size)],
    ['evaluate.batch', Math.min(evaluate.batch, size)],
  ];
}

/** The values for a folder of images, as `--set` takes them. */
async function settingsFor(
  folder: string | undefined,
  preset: string,
): Promise<[path: string, setting: string][]> {
  if (folder === undefined) return [];
  const { report } = await inspectData(folder);
  const room = roomForBatches(resolveConfig({ preset, sets: [] }), report);
  const flat = (fields: Readonly<Record<string, unknown>>, prefix: string): [string, unknown][] =>
    Object.entries(fields).flatMap(([name, value]): [string, unknown][] =>
      typeof value === 'object' && value !== null
        ? flat(value as Record<string, unknown>, `${prefix}${name}.`)
        : [[`${prefix}${name}`, value]],
    );
  return [...flat({ train: null, test: null, ...report.settings }, 'data.'), ...room].map(([path, value]) => [
    path,
    `${path}=${JSON.stringify(value)}`,
  ]);
}

async function save(file: string, text: string, force: boolean): Promise<void> {
  if (!force && (await exists(file))) {
    throw new ConfigError(`${file} exists already. Name another file, or write over it with --force.`);
  }
  await writeOutput('The file', file, text);
}

async function init(file: string, flags: InitFlags): Promise<void> {
  const { preset, data, full = false, force = false } = flags;
  if (!['.yaml', '.yml'].includes(extname(file).toLowerCase())) {
    throw new ConfigError(`${JSON.stringify(file)} must be the name of a .yaml file.`);
  }
  const found = await settingsFor(data, preset);
  const config = resolveConfig({ preset, sets: found.map(([, setting]) => setting) });
  const paths = [...new Set([...FIRST_FIELDS, ...found.map(([path]) => path)])];
  const schema = join(dirname(file), SCHEMA_FILE);
  const lines = [
    ...(flags.schema ? [`yaml-language-server: $schema=./${basename(schema)}`] : []),
    `A configuration of hypergrad: hypergrad run ${quote(relative('.', file))}`,
    ...(full
      ? []
      : [`What is not said here is as in the preset; hypergrad config ${quote(file)} prints all of it.`]),
  ];
  const fields = full ? config : pick(config, paths);
  await save(file, commentedYaml(fields, { lines, preset }), force);
  // The schema is this version's, whatever was there: nobody writes one by hand.
  if (flags.schema) await save(schema, `${JSON.stringify(configJsonSchema(), null, 2)}\n`, true);

  const written = { file, schema: flags.schema ? schema : null };
  if (flags.json) process.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
  else {
    const { say, remark } = voiceOf(flags);
    say(`Written: ${file}${flags.schema ? `, and ${schema} for editors` : ''}`);
    remark(`Look at it, then: hypergrad run ${quote(file)} --dry-run`);
  }
}

/** The command `hypergrad init`. */
export function initCommand(): Command {
  return new Command('init')
    .description('write a commented configuration to start from, and the schema that editors complete it by')
    .argument('[file]', 'the .yaml file to write', DEFAULT_FILE)
    .option('--preset <name>', 'the preset to start from', DEFAULT_PRESET)
    .option('--data <folder>', 'a folder of images, whose settings are found out and written')
    .option('--full', 'write every field, not only those that are changed first')
    .option('--force', 'write over a file that exists')
    .addOption(new Option('--no-schema', `write no ${SCHEMA_FILE} beside the file`))
    .option('--json', 'print the names of the files as JSON')
    .action(init);
}
