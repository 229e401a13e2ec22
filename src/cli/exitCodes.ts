import { EXIT_CODES } from '../errors.js';

/** What each exit code says, for help and README. */
export const exitCodes: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT_CODES.done, 'done'],
  [
    EXIT_CODES.failure,
    'something does not agree (verify, gradcheck), a watched run was killed, jobs of a sweep failed in different ways (sweep) or at all (status), or a fault of hypergrad itself',
  ],
  [EXIT_CODES.config, 'the command line or the configuration does not fit'],
  [EXIT_CODES.device, 'no device opens, or the device fails'],
  [EXIT_CODES.shape, 'tensors do not fit each other'],
  [EXIT_CODES.data, 'data is missing, damaged or of another format'],
  [EXIT_CODES.store, "a run's folder is flawed (check), or cannot be read, written or locked"],
  [EXIT_CODES.numerics, 'a number became NaN or infinite: training has diverged'],
  [EXIT_CODES.missingPackage, 'an optional npm package that is needed is not installed'],
  [EXIT_CODES.scheduler, 'SLURM is not there, does not answer or refuses'],
  [EXIT_CODES.interrupted, 'stopped with Ctrl-C; the same command goes on from there'],
];
