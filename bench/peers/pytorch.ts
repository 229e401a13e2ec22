/** PyTorch on the CPU, in a Python process of its own: `pytorch.py` does the work, this speaks to it in lines of JSON. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HostTensor, HypergradientCase, KernelCase, StudentCase } from '../cases/types.js';
import type { Form, Peer } from '../contender.js';
import { peerFile } from './load.js';

type Answer = { readonly result: unknown } | { readonly error: string };

const encoded = ({ shape, data }: HostTensor) => ({
  shape,
  type: data instanceof Int32Array ? 'int32' : 'float32',
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});

function decoded(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** A Python process that answers one command after another. */
class Python {
  readonly #process: ChildProcessWithoutNullStreams;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #ended: Error | undefined;

  constructor(command: string) {
    this.#process = spawn(command, [peerFile('pytorch.py')]);
    let complaints = '';
    const end = (reason: string): void => {
      this.#ended ??= new Error(reason);
      this.#waiting?.reject(this.#ended);
    };
    this.#process.stderr.on('data', (text: Buffer) => {
      complaints += text.toString();
    });
    this.#process.stdin.on('error', () => undefined);
    this.#process.on('error', ({ message }) => end(`${command} cannot be started: ${message}`));
    this.#process.on('close', () => end(complaints.trim().split('\n').at(-1) || `${command} ended`));
    createInterface(this.#process.stdout).on('line', (line) => this.#waiting?.resolve(JSON.parse(line)));
  }

  /** @throws Error with what Python says. */
  async ask(command: object): Promise<unknown> {
    if (this.#ended !== undefined) throw this.#ended;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    });
    if ('error' in answer) throw new Error(answer.error);
    return answer.result;
  }

  close(): void {
    this.#process.kill();
  }
}

const encodedStudent = ({ parameters, images, targets, learningRate, depth }: StudentCase) => ({
  parameters: parameters.map(encoded),
  images: encoded(images),
  targets: encoded(targets),
  learningRate,
  depth,
});

/**
 * PyTorch as the given Python has it.
 * @throws Error with the reason when that Python has none.
 */
export async function openPytorch(pythonCommand: string): Promise<Peer> {
  const python = new Python(pythonCommand);
  const { version, threads } = (await python.ask({ do: 'version' })) as { version: string; threads: number };
  let count = 0;
  const form =
    (kind: string, encode: () => object): Form =>
    async () => {
      const id = count++;
      await python.ask({ do: 'build', id, kind, case: encode() });
      return {
        async results() {
          const answer = (await python.ask({ do: 'results', id })) as Record<string, string>;
          return Object.fromEntries(Object.entries(answer).map(([name, text]) => [name, decoded(text)]));
        },
        run: async (repeats) => void (await python.ask({ do: 'run', id, repeats })),
        release: async () => void (await python.ask({ do: 'release', id })),
      };
    };
  return {
    name: 'pytorch cpu',
    version: `${version}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    kernel: ({ operation, operands, output }: KernelCase) => [
      form('kernel', () => ({ operation, operands: operands.map(encoded), output })),
    ],
    step: (given) => [form('step', () => encodedStudent(given))],
    hypergradient: (given: HypergradientCase) => [
      form('hypergradient', () => ({
        ...encodedStudent(given),
        steps: given.steps,
        arrival: given.arrival.map(encoded),
      })),
    ],
    close: () => python.close(),
  };
}
