/** What a device cannot hold, told before anything is allocated, with the operation and the user's line. */
import { DeviceError } from '../../errors.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { locate, operationSentence } from '../origin.js';
import { sizeOf, type Tape, typeText } from '../tape.js';
import { BYTES } from './bufferRange.js';
import type { LoweredTape } from './lower.js';

/**
 * @param largestBuffer bytes of the largest buffer that the device can bind
 * @throws DeviceError naming the first tensor that is larger: an operation's result or scratch space, or an input.
 */
export function requireTensorsFit(tape: Tape, lowered: LoweredTape, largestBuffer: number): void {
  const require = (what: string, line: number, bytes: number): void => {
    if (bytes <= largestBuffer) return;
    throw locate(
      new DeviceError(
        `${what} takes ${formatBytes(bytes)}, but this device's largest storage buffer is ` +
          `${formatBytes(largestBuffer)}. Use a smaller batch or model, or split it.`,
      ),
      operationSentence('compiling', tape.operations[line]!),
    );
  };
  for (const [name, line] of Object.entries(tape.inputs)) {
    const { type } = tape.operations[line]!;
    require(`Input '${name}' ${typeText(type)}`, line, sizeOf(type.shape) * BYTES);
  }
  for (const { line, use, bytes } of lowered.stays) {
    const { name, type } = tape.operations[line]!;
    const what = use === 'value' ? `The result ${typeText(type)} of ${name}` : `The scratch space of ${name}`;
    require(what, line, bytes);
  }
}
