import { describe, expect, it } from 'vitest';
import {
  endInWords,
  parseDuration,
  parseHistory,
  parseQueue,
} from '../../../../src/pipeline/sweep/slurm/tasks.js';

describe('parseDuration', () => {
  it.each([
    ['0:07', 7],
    ['12:34', 754],
    ['1:02:03', 3723],
    ['2-00:00:01', 172_801],
    ['00:00:07.123', 7],
  ])('reads %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(['UNLIMITED', 'NOT_SET', 'INVALID', '', '7', '1:2:3:4'])('knows none in %j', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});

describe('parseQueue', () => {
  it('reads a task a line, whatever its reason says', () => {
    const text = [
      '12|0|hypergrad-ab-expert-1|RUNNING|1:05|8:55|n1|None',
      '12|1|hypergrad-ab-expert-1|PENDING|0:00|10:00||(Resources|more)',
      '12|2|hypergrad-ab-expert-1|COMPLETED|0:41|9:19|n2|None',
      '12|3|hypergrad-ab-expert-1|OUT_OF_MEMORY|0:41|9:19|n2|OutOfMemory',
      '',
    ].join('\n');
    const tasks = parseQueue(text);
    expect(tasks.map(({ task, phase }) => [task, phase])).toEqual([
      [0, 'running'],
      [1, 'queued'],
      [2, 'completed'],
      [3, 'ended'],
    ]);
    expect(tasks[0]).toEqual({
      ...{ array: 12, task: 0, name: 'hypergrad-ab-expert-1', state: 'RUNNING', phase: 'running' },
      ...{ reason: null, secondsUsed: 65, secondsLeft: 535, node: 'n1' },
    });
    expect(tasks[1]).toMatchObject({ reason: '(Resources|more)', node: null });
  });

  it('leaves out jobs that are no array, and lines of another form', () => {
    const text = '13|N/A|interactive|RUNNING|1:05|8:55|n1|None\nslurm_load_jobs error: none\n14|1|short\n';
    expect(parseQueue(text)).toEqual([]);
  });

  it('takes a state that it does not know for an end, so that nobody waits for it', () => {
    expect(parseQueue('1|0|a|EVAPORATED|0:01|0:01|n1|None')[0]).toMatchObject({ phase: 'ended' });
  });
});

describe('parseHistory', () => {
  it('reads tasks that ended, and not those that are still together', () => {
    const text = [
      '12_0|hypergrad-ab-expert-1|COMPLETED|00:00:41|n1|None',
      '12_1|hypergrad-ab-expert-1|CANCELLED by 1000|00:00:02|n2|None',
      '12_2|hypergrad-ab-expert-1|TIMEOUT|00:01:20|n2|TimeLimit',
      '12_[3-9]|hypergrad-ab-expert-1|PENDING|00:00:00|None assigned|Priority',
      '13|other|COMPLETED|00:00:41|n1|None',
    ].join('\n');
    expect(parseHistory(text).map(({ task, state, phase, node }) => [task, state, phase, node])).toEqual([
      [0, 'COMPLETED', 'completed', 'n1'],
      [1, 'CANCELLED', 'ended', 'n2'],
      [2, 'TIMEOUT', 'ended', 'n2'],
    ]);
  });
});

it('tells why a task ended', () => {
  expect(endInWords({ state: 'TIMEOUT', reason: 'TimeLimit' })).toBe('ran longer than its time limit');
  expect(endInWords({ state: 'CANCELLED', reason: null })).toBe('was cancelled');
  expect(endInWords({ state: 'CANCELLED', reason: 'DependencyNeverSatisfied' })).toMatch(/a job before it/);
  expect(endInWords({ state: 'EVAPORATED', reason: null })).toMatch(/EVAPORATED/);
});
