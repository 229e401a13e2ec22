/** What each exit code says, for help and README. */
export const exitCodes: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [
    1,
    'something does not agree (verify, gradcheck), a watched run was killed, jobs of a sweep failed in different ways (sweep) or at all (status), or a fault of hypergrad itself',
  ],
  [2, 'the command line or the configuration does not fit'],
  [3, 'no device opens, or the device fails'],
  [4, 'tensors do not fit each other'],
  [5, 'data is missing, damaged or of another format'],
  [6, "a run's folder is flawed (check), or cannot be read, written or locked"],
  [7, 'a number became NaN or infinite: training has diverged'],
  [8, 'an optional npm package that is needed is not installed'],
  [9, 'SLURM is not there, does not answer or refuses'],
  [130, 'stopped with Ctrl-C; the same command goes on from there'],
];
