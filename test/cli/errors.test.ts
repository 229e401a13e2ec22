import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { describeFailure, usageSentence } from '../../src/cli/errors.js';
import { ConfigError, DataError, DeviceError, ShapeError, StoreError } from '../../src/errors.js';

const stackLine = /^ {4}at /m;

describe('describeFailure', () => {
  it.each([
    [ConfigError, 2],
    [DeviceError, 3],
    [ShapeError, 4],
    [DataError, 5],
    [StoreError, 6],
  ])('tells %o by its message alone, with its class’s exit code', (ErrorClass, exitCode) => {
    const error = new ErrorClass('This is wrong. Do that.', { cause: new Error('inner') });
    expect(describeFailure(error, false)).toEqual({ text: 'hypergrad: This is wrong. Do that.\n', exitCode });
  });

  it('calls any other error a fault of its own', () => {
    expect(describeFailure(new TypeError('x is not a function.'), false)).toEqual({
      text: 'hypergrad: x is not a function. This is a fault of hypergrad; run again with --debug for details.\n',
      exitCode: 1,
    });
    expect(describeFailure('only a text', false).text).toContain('hypergrad: only a text. This is a fault');
  });

  it('adds stack and cause with debug, and no longer advises it', () => {
    const { text } = describeFailure(new StoreError('Outer.', { cause: new Error('inner') }), true);
    expect(text).toMatch(/^hypergrad: Outer\.\n/);
    expect(text).toMatch(stackLine);
    expect(text).toContain('[cause]: Error: inner');
    const fault = describeFailure(new Error('odd'), true).text;
    expect(fault).toMatch(stackLine);
    expect(fault).not.toContain('--debug');
  });

  it('repeats nothing that the parser has printed; help is no error', () => {
    expect(describeFailure(new CommanderError(1, 'commander.unknownOption', 'x'), true)).toEqual({
      text: '',
      exitCode: 2,
    });
    expect(describeFailure(new CommanderError(0, 'commander.helpDisplayed', 'x'), false).exitCode).toBe(0);
  });
});

describe('usageSentence', () => {
  it('keeps a suggestion, and points to the help where there is none', () => {
    expect(usageSentence("error: unknown option '--sed'\n(Did you mean --seed?)\n", 'hypergrad run')).toBe(
      "hypergrad: unknown option '--sed'. Did you mean --seed?\n",
    );
    expect(usageSentence("error: missing required argument 'path'\n", 'hypergrad verify')).toBe(
      "hypergrad: missing required argument 'path'. See hypergrad verify --help.\n",
    );
    expect(usageSentence('error: too many. Expected 1.\n', 'hypergrad run')).toBe(
      'hypergrad: too many. Expected 1. See hypergrad run --help.\n',
    );
  });
});
