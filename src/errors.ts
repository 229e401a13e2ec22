/** Exit codes of commands, by what ends them. `failure`: something does not agree, or is a fault of hypergrad itself. */
export const EXIT_CODES = {
  done: 0,
  failure: 1,
  config: 2,
  device: 3,
  shape: 4,
  data: 5,
  store: 6,
  numerics: 7,
  missingPackage: 8,
  scheduler: 9,
  /** A shell's for the signal SIGINT. */
  interrupted: 130,
} as const;

/**
 * The errors that every layer throws. Each says what was wrong, where, and what to do next; the command
 * line prints the message alone and exits with the class's code.
 */
export class HypergradError extends Error {
  override readonly name: string;
  /** Exit code of a command that ends with this error. */
  readonly exitCode: number = EXIT_CODES.failure;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // Written out, as below: in a bundle that was made small, classes have other names.
    this.name = 'HypergradError';
  }
}

/** The GPU: no adapter, a shader that does not compile, a validation error, a lost device. */
export class DeviceError extends HypergradError {
  override readonly name: string = 'DeviceError';
  override readonly exitCode = EXIT_CODES.device;
}

/** The device is gone: its driver was reset, it was taken away, or destroyed. Opening it anew may help; a run does so itself. */
export class DeviceLostError extends DeviceError {
  override readonly name: string = 'DeviceLostError';
  /** What the driver gave as the reason, in a sentence. */
  readonly reason: string;

  constructor(message: string, reason = message, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The device has not answered for too long. Nothing can be done with it in this process. */
export class DeviceTimeoutError extends DeviceError {
  override readonly name: string = 'DeviceTimeoutError';
}

/** A tensor's shape, type or an operation's attribute does not fit. */
export class ShapeError extends HypergradError {
  override readonly name: string = 'ShapeError';
  override readonly exitCode = EXIT_CODES.shape;
}

/** A file of data is missing, cut short or not of its format. */
export class DataError extends HypergradError {
  override readonly name: string = 'DataError';
  override readonly exitCode = EXIT_CODES.data;
}

/** A configuration, preset, `--set` or command-line value is unknown or does not fit. */
export class ConfigError extends HypergradError {
  override readonly name: string = 'ConfigError';
  override readonly exitCode = EXIT_CODES.config;
}

/** A number that is watched is NaN or infinite: training has diverged. */
export class NumericsError extends HypergradError {
  override readonly name: string = 'NumericsError';
  override readonly exitCode = EXIT_CODES.numerics;
}

/** The user asked for work to stop, and it did. */
export class InterruptedError extends HypergradError {
  override readonly name: string = 'InterruptedError';
  override readonly exitCode = EXIT_CODES.interrupted;
}

/** An optional npm package that the work needs is not installed, or does not load. */
export class MissingPackageError extends HypergradError {
  override readonly name: string = 'MissingPackageError';
  override readonly exitCode = EXIT_CODES.missingPackage;
}

/** A run's folder cannot be read, written or locked. */
export class StoreError extends HypergradError {
  override readonly name: string = 'StoreError';
  override readonly exitCode = EXIT_CODES.store;
}

/** SLURM is not there, does not answer, or refuses what it is asked. */
export class SchedulerError extends HypergradError {
  override readonly name: string = 'SchedulerError';
  override readonly exitCode = EXIT_CODES.scheduler;
}

/** What was thrown, in words: libraries throw other things than errors too. */
export const messageOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).trim();
