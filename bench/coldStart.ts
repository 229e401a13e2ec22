/** A fresh process from `openDevice` to the end of its first small step; prints the milliseconds and the adapter as JSON. */
import { openDevice } from '../src/gpu/node/openDevice.js';
import { studentCases } from './cases/students.js';
import { ownStep } from './suites/ownStep.js';

const given = studentCases()[0]!;
const start = performance.now();
const device = await openDevice({ choice: 'bundled' });
const step = await ownStep(device, given);
await step.run(1);
const milliseconds = performance.now() - start;
process.stdout.write(JSON.stringify({ milliseconds, adapter: device.adapter.name }));
await step.release();
device.close();
