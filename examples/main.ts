/** Runs an example by its name, as in `npm run example hyperparameters`. */
import { argv } from 'node:process';

const examples: Readonly<Record<string, () => Promise<unknown>>> = {
  hyperparameters: () => import('./hyperparameters.js'),
  initialisation: () => import('./initialisation.js'),
  reweighting: () => import('./reweighting.js'),
};

const name = argv[2] ?? '';
const example = Object.hasOwn(examples, name) ? examples[name] : undefined;
if (example === undefined) {
  console.error(`${name === '' ? 'Name an example' : `There is no example '${name}'`}. The examples are:`);
  for (const known of Object.keys(examples)) console.error(`  npm run example ${known}`);
  process.exitCode = 2;
} else await example();
