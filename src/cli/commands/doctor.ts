import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { DeviceError, EXIT_CODES } from '../../errors.js';
import type { AdapterDescription, Device } from '../../gpu/device.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { type DeviceChoice, type OpenDeviceOptions, openDevice } from '../../gpu/node/openDevice.js';
import { absentPackages, installCommand } from '../../gpu/node/optionalPackage.js';
import { packageVersion } from '../../gpu/node/packageVersion.js';
import { runSample, SAMPLE_NUMBERS, SAMPLE_ROUNDS } from '../../gpu/sample.js';
import { machineBytes } from '../../pipeline/estimate/machineBytes.js';
import { loadTuning } from '../../pipeline/tune/store.js';
import { deviceOf } from '../asked.js';
import { note } from '../help.js';
import { terminalText } from '../terminalText.js';
import { describeTuning } from '../tunedDevice.js';
import { type VoiceFlags, voiceOf } from '../voice.js';

/** What `hypergrad doctor --json` prints. */
interface DoctorReport {
  /** The adapter that opens by default here; null when none does. */
  readonly adapter: AdapterDescription | null;
  /** Node's version. */
  readonly node: string;
  /** Version of the npm package `webgpu`. */
  readonly webgpu: string;
  /** Whether a device opened and computed correctly. */
  readonly ok: boolean;
}

/** The report with the facts that the text form tells besides. */
export interface Examination extends DoctorReport {
  readonly platform: string;
  readonly cores: number;
  /** Bytes of memory that this process may use. */
  readonly memory: number;
  /** The device in one line. */
  readonly description?: string;
  /** Which tuning the device computes with, and how it was made. */
  readonly tuning?: string;
  /** The limits that decide what fits on the device. */
  readonly limits?: Readonly<Record<(typeof TOLD_LIMITS)[number], number>>;
  /** Multiply-adds a second, counted as two operations each. */
  readonly flops?: number;
  /** Why `ok` is false, and what to do. */
  readonly error?: string;
  /** Optional packages that are not installed: what needs each, and how to install it. */
  readonly absent: readonly string[];
  /** What would make this machine faster. */
  readonly suggestions: readonly string[];
}

const TOLD_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
] as const;

const MESA =
  'Mesa 25 or newer runs two to five times faster than SwiftShader on the same cores ' +
  '(on Debian: apt install libvulkan1 mesa-vulkan-drivers; Mesa 22 is too old).';

function suggest(adapter: AdapterDescription | null): string[] {
  if (adapter?.kind === 'hardware') return [];
  const gpu =
    "A GPU with its Vulkan driver is many times faster than any software device; if this machine has one, install the vendor's driver.";
  const swiftShader = adapter === null || adapter.bundled || /swiftshader/i.test(adapter.name);
  return swiftShader && process.platform === 'linux' ? [gpu, MESA] : [gpu];
}

/**
 * Looks at this machine: opens the device that a run would get, computes with it and closes it.
 * @throws ConfigError when HYPERGRAD_DEVICE or HYPERGRAD_TUNING holds an unknown value; a device that fails is in the report.
 */
export async function examine(options: OpenDeviceOptions = {}): Promise<Examination> {
  const facts = {
    node: process.versions.node,
    webgpu: packageVersion('webgpu'),
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memory: machineBytes(),
    absent: absentPackages().map(
      ({ name, neededFor }) => `${name}, for ${neededFor} (${installCommand(name)})`,
    ),
  };
  let device: Device | undefined;
  try {
    device = await openDevice(options);
    const tuning = describeTuning(await loadTuning(device));
    const flops = await runSample(device);
    const { limits } = device;
    return {
      adapter: device.adapter,
      ...facts,
      ok: true,
      description: device.describe(),
      tuning,
      limits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      },
      flops,
      suggestions: suggest(device.adapter),
    };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const adapter = device?.adapter ?? null;
    return { adapter, ...facts, ok: false, error: error.message, suggestions: suggest(adapter) };
  } finally {
    device?.close();
  }
}

/** The fields of `--json`, in their order. */
function reportOf({ adapter, node, webgpu, ok }: Examination): DoctorReport {
  return {
    adapter: adapter && { name: adapter.name, kind: adapter.kind, bundled: adapter.bundled },
    node,
    webgpu,
    ok,
  };
}

/** The examination in plain words, one fact a line. */
export function describeExamination(found: Examination): string {
  const lines = [
    `Node ${found.node} on ${found.platform}, ${found.cores} cores, ${formatBytes(found.memory)} of memory`,
    `webgpu package ${found.webgpu}`,
    found.description ? `Device: ${found.description}` : `Device: ${found.adapter?.name ?? 'none'}`,
  ];
  if (found.tuning) lines.push(`Tuning: ${found.tuning}`);
  if (found.limits) {
    const { limits } = found;
    lines.push(
      `Limits: one buffer ${formatBytes(limits.maxBufferSize)}, one binding ${formatBytes(limits.maxStorageBufferBindingSize)}, ` +
        `${limits.maxStorageBuffersPerShaderStage} storage buffers a kernel, ` +
        `workgroups of ${limits.maxComputeInvocationsPerWorkgroup} with ${formatBytes(limits.maxComputeWorkgroupStorageSize)} of shared memory`,
    );
  }
  if (found.flops !== undefined && found.adapter) {
    lines.push(
      `Sample: ${SAMPLE_NUMBERS.toLocaleString('en')} numbers, ${SAMPLE_ROUNDS} multiply-adds each, as the processor computes them; ` +
        `${(found.flops / 1e9).toFixed(1)} GFLOP/s on this ${found.adapter.kind} device`,
    );
  }
  if (found.absent.length > 0) {
    lines.push('Optional packages that are not installed:', ...found.absent.map((each) => `  - ${each}`));
  }
  if (found.suggestions.length > 0) {
    lines.push('To make it faster:', ...found.suggestions.map((suggestion) => `  - ${suggestion}`));
  }
  if (found.ok) lines.push('All is well.');
  return lines.join('\n');
}

/** The command `hypergrad doctor`. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('tell what this machine offers, try it, and say what would make it faster')
    .option('--json', 'print one JSON object: adapter, node, webgpu, ok')
    .addHelpText(
      'after',
      note(
        `Exit code: 0 when a device opens and computes rightly, ${EXIT_CODES.device} when none does. It looks for the device that every command opens, as --device or HYPERGRAD_DEVICE says.`,
      ),
    )
    .action(async (flags: VoiceFlags & { readonly device?: DeviceChoice }) => {
      const found = await examine(deviceOf(flags));
      if (flags.json) process.stdout.write(`${JSON.stringify(reportOf(found))}\n`);
      else voiceOf(flags).say(describeExamination(found));
      if (!found.ok) {
        process.stderr.write(terminalText(`${found.error}\n`));
        process.exitCode = EXIT_CODES.device;
      }
    });
}
