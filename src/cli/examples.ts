/**
 * The examples that close each command's help, as data: the tests run them, the quick ones on every change and the others by
 * `npm run test:examples`, all but those that need a cluster.
 */

/** What to type, and what it does. */
export interface Example {
  /** As a POSIX shell reads it. */
  readonly line: string;
  readonly effect: string;
  /** Whether it takes minutes, or needs a public dataset's files. */
  readonly isSlow?: true;
  /** Whether it needs a cluster with SLURM, so that no test can run it as it stands. */
  readonly needsCluster?: true;
}

const quick = (line: string, effect: string): Example => ({ line, effect });
const slow = (line: string, effect: string): Example => ({ line, effect, isSlow: true });
const onCluster = (line: string, effect: string): Example => ({ ...slow(line, effect), needsCluster: true });

/** By command, the words after `hypergrad`; the empty one is the program itself. */
export const examplesOf: Readonly<Record<string, readonly Example[]>> = {
  '': [
    slow('hypergrad run --preset mnist-small', 'distil and evaluate; the report is in runs/mnist-small'),
    quick('hypergrad presets', 'see what can be run as it is'),
    quick('hypergrad init my-own.yaml', 'begin a configuration of your own'),
    quick('hypergrad data photos/', 'see what a folder of images holds, and how to use it'),
    quick('hypergrad doctor', 'see what this machine offers'),
  ],
  run: [
    slow('hypergrad run --preset tiny-test', 'every stage in seconds'),
    slow(
      'hypergrad run --preset cifar10-small --data cifar-10-batches-bin',
      'CIFAR-10 from its binary files',
    ),
    quick('hypergrad run my.yaml --seed 2 --out runs/second', 'a configuration file, another seed'),
    slow('hypergrad run --preset mnist-small --set distil.steps=30', 'one value changed'),
    quick('hypergrad run my.yaml --dry-run', 'how long, how much memory and disk; nothing is written'),
  ],
  watch: [
    quick('hypergrad watch runs/mnist-small', 'until the run ends, which another terminal began'),
    quick('hypergrad watch runs/mnist-small --once', 'one look'),
    quick('hypergrad watch runs/mnist-small --json', 'one look, for a program to read'),
  ],
  plan: [
    quick('hypergrad plan sweep.yaml --no-estimate', 'which jobs there are, and which of them runs share'),
    quick('hypergrad plan sweep.yaml --graph > sweep.dot', 'a drawing, by `dot -Tsvg sweep.dot`'),
    slow('hypergrad plan --preset mnist-small', 'the jobs of a single run, with time, memory and disk'),
  ],
  sweep: [
    slow('hypergrad sweep sweep.yaml', 'every setting with every seed; results in sweeps/sweep'),
    slow('hypergrad sweep sweep.yaml --workers 1 --out sweeps/again', 'one job at a time, another folder'),
    quick(
      'hypergrad sweep sweep.yaml --slurm --dry-run --no-estimate',
      'scripts for a cluster, to read or to keep',
    ),
    onCluster(
      'hypergrad sweep sweep.yaml --slurm --slurm-gpus 1 --slurm-option=partition=gpu',
      'on a cluster, one GPU for each job',
    ),
  ],
  cancel: [
    quick('hypergrad cancel sweeps/sweep', 'all that SLURM still has of it; what is done is kept'),
    quick('hypergrad cancel sweeps/sweep --json', 'how many there were, for a program to read'),
  ],
  status: [
    quick('hypergrad status sweeps/sweep', 'from any terminal, while it runs or after'),
    quick('hypergrad status sweeps/sweep --json', 'every job, for a program to read'),
  ],
  job: [
    quick(
      'hypergrad job teacher --sweep sweeps/sweep',
      'the one job that trains a teacher, unless it is done',
    ),
    quick(
      'hypergrad job expert-000 --sweep sweeps/sweep',
      'the first expert, once its teacher and targets are done',
    ),
  ],
  presets: [
    quick('hypergrad presets', 'a line each'),
    quick('hypergrad presets --json', 'with datasets and numbers of images, for a program to read'),
  ],
  config: [
    quick(
      'hypergrad config --preset tiny-test > tiny.yaml',
      'a preset, written out; a run takes it as a file',
    ),
    quick(
      'hypergrad config my.yaml --set distil.steps=30',
      'what your file amounts to, with one value changed',
    ),
    quick('hypergrad config --schema > hypergrad.schema.json', 'for your editor'),
  ],
  init: [
    quick('hypergrad init', 'hypergrad.yaml, after the default preset'),
    quick('hypergrad init photos.yaml --preset tiny-test --data photos/', 'for images of your own'),
    quick('hypergrad init all.yaml --full --no-schema', 'every field, without a schema'),
  ],
  data: [
    quick('hypergrad data photos/ --out photos.png', 'one sub-folder a class; with a picture of each'),
    quick('hypergrad data fashion-mnist/ --json', 'IDX files; for a program to read'),
  ],
  verify: [
    quick('hypergrad verify cases/', 'every .safetensors file of a folder'),
    quick('hypergrad verify case.safetensors --json', 'all numbers of one case'),
  ],
  evaluate: [
    quick(
      'hypergrad evaluate runs/mnist-small --set evaluate.seeds=10',
      "a run's set again, over more seeds",
    ),
    quick(
      'hypergrad evaluate runs/mnist-small --on fashion --set data.source=idx',
      'on other images of its size',
    ),
    quick('hypergrad evaluate set.safetensors --teacher runs/mnist-small', 'a set made elsewhere'),
  ],
  compare: [
    quick('hypergrad compare runs/a runs/b', 'side by side; over both where they differ in the seed alone'),
    quick('hypergrad compare runs/* --csv > runs.csv', 'every number, for a spreadsheet'),
  ],
  report: [
    quick('hypergrad report runs/mnist-small --out mnist-small.html', 'the page of a run, made again'),
    quick('hypergrad report runs/a runs/b', 'report.html: runs side by side, in one page'),
    quick('hypergrad report runs/a --json', 'the data behind the page, for a program to read'),
  ],
  check: [
    quick('hypergrad check runs/mnist-small', 'after a crash, a full disk or a copy'),
    quick('hypergrad check runs/mnist-small --json', 'for a program to read'),
  ],
  export: [
    quick(
      'hypergrad export runs/a --to npz png --out handed-over',
      'arrays for NumPy, pictures, and a data card',
    ),
    quick('hypergrad export runs/a --to safetensors', 'in exports/a: a file that evaluate takes'),
  ],
  gradcheck: [
    slow('hypergrad gradcheck', 'a tiny student, 5 steps, in seconds'),
    slow('hypergrad gradcheck --steps 40 --optimiser momentum', 'longer, with momentum and weight decay'),
    slow('hypergrad gradcheck --preset mnist-small --steps 3', "a preset's own student"),
  ],
  tune: [
    slow('hypergrad tune', "for the default preset's shapes"),
    slow('hypergrad tune --preset cifar10-small --dry-run', 'for larger ones, only to see'),
    quick('hypergrad tune --reset', 'back to the usual block sizes'),
  ],
  doctor: [
    quick('hypergrad doctor', 'in plain words'),
    quick('HYPERGRAD_DEVICE=software hypergrad doctor --json', 'the software device, for a program to read'),
  ],
  completion: [
    quick(
      'hypergrad completion bash > hypergrad.bash',
      'for `source`, or for ~/.local/share/bash-completion/completions',
    ),
    quick('hypergrad completion fish > hypergrad.fish', 'for ~/.config/fish/completions'),
  ],
  study: [
    slow('hypergrad study variance --preset mnist-small', 'gradients and trajectories under both losses'),
    slow('hypergrad study horizon --run runs/mnist-small', "N, M and truncation, with a run's experts"),
  ],
  'study variance': [
    slow('hypergrad study variance', 'on 2 000 digits, in minutes'),
    slow('hypergrad study variance --run runs/mnist-small', "with a finished run's teacher"),
    slow('hypergrad study variance --batch-sizes 8,32,128 --batches 64', 'other batches, more of them'),
  ],
  'study horizon': [
    slow('hypergrad study horizon', 'N = 5, 10, 20 and M = 1, 2, 3 on 2 000 digits, in minutes'),
    slow('hypergrad study horizon --run runs/mnist-small', "with a finished run's experts and subset"),
    slow('hypergrad study horizon --steps 10,40 --expert-epochs 3 --iterations 50', 'longer, and closer'),
  ],
  preview: [
    quick('hypergrad preview augmentations --preset mnist-small', 'the picture augmentations.png'),
    quick('hypergrad preview augmentations my.yaml --set teacher.augmentation.hue=0.2', 'one value changed'),
  ],
  'preview augmentations': [
    quick('hypergrad preview augmentations --preset mnist-small', 'the picture augmentations.png'),
    quick('hypergrad preview augmentations my.yaml --set teacher.augmentation.hue=0.2', 'one value changed'),
  ],
};
