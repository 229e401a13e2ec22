import type { Reporter, TestModule } from 'vitest/node';
import { addCounts, describeCounts, type FaultCounts, faultGroups } from './counts.js';

/** Prints, sort by sort, how many faults the tests that passed have survived. */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines: string[] = [];
    for (const group of faultGroups) {
      let sum: FaultCounts = {};
      for (const module of modules) {
        for (const test of module.children.allTests('passed')) {
          sum = addCounts(sum, test.meta().faults?.[group] ?? {});
        }
      }
      if (Object.keys(sum).length > 0) lines.push(describeCounts(group, sum));
    }
    process.on('exit', () => {
      for (const line of lines) process.stdout.write(`${line}\n`);
    });
  }
}
