/** One training step: forward, backward and the update. */
import { studentCases } from '../cases/students.js';
import { compare, tolerances } from '../compare.js';
import { ownStep } from './ownStep.js';
import { type SuiteContext, subjectOf } from './suite.js';

/** Measures a step of every student. */
export async function stepSuite(context: SuiteContext): Promise<void> {
  const { device, peers, report, rounds } = context;
  for (const given of studentCases()) {
    const subject = subjectOf('step', given.name, context);
    const competitors = peers.map((peer) =>
      'why' in peer ? peer : { name: peer.name, forms: peer.step(given) },
    );
    const contender = await ownStep(device, given);
    const { rows, ours: measured } = await compare(subject, contender, competitors, {
      rounds,
      tolerance: tolerances.step,
    });
    contender.release();
    report([...rows, { ...subject, metric: 'time', value: measured.medianMs, unit: 'ms' }]);
  }
}
