/// <reference types="@webgpu/types" preserve="true" />
/**
 * hypergrad under Node: opening a device, tuning it, and the pipeline over a run's folder.
 *
 * @module hypergrad/node
 */

export type { TuningChoice } from './autograd/tune/tuneDevice.js';
export { type DeviceChoice, type OpenDeviceOptions, openDevice } from './gpu/node/openDevice.js';
export type { Tile } from './kernels/tiles.js';
export {
  type Compared,
  type ComparedRun,
  type ComparedTable,
  type Comparison,
  compareRuns,
  type Figure,
  type RunGroup,
} from './pipeline/compare/compareRuns.js';
export { readRun } from './pipeline/compare/readRun.js';
export { comparisonCsv, comparisonMarkdown } from './pipeline/compare/tables.js';
export { type ConfigSources, presetNames, resolveConfig } from './pipeline/config/resolve.js';
export type { Config } from './pipeline/config/schema.js';
export { type Dataset, type ImageOrigin, type ImageSet, loadDataset } from './pipeline/data/dataset.js';
export type { Difference } from './pipeline/evaluate/differences.js';
export type { Change } from './pipeline/plan/changes.js';
export type { Flaw } from './pipeline/plan/observe.js';
export type { Reason, RunPlan, StagePlan } from './pipeline/plan/plan.js';
export { type Progress, type StageName, type StudyName, silentProgress } from './pipeline/progress.js';
export type {
  DistilEvent,
  HeldOutError,
  ResultRow,
  RunDevice,
  RunResult,
  TransferResult,
} from './pipeline/report/types.js';
export { type RunOptions, runPipeline } from './pipeline/run.js';
export type { SessionOptions } from './pipeline/session.js';
export type { Disk, WriteOptions } from './pipeline/store/disk.js';
export type { FileSystem, OpenFile } from './pipeline/store/fileSystem.js';
export type { Plain, StageRecord } from './pipeline/store/manifest.js';
export { RunFolder } from './pipeline/store/runFolder.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  type TensorFile,
} from './pipeline/store/safetensors.js';
export type { TuningRecord } from './pipeline/tune/record.js';
export { loadTuning, saveTuning, type TuningState } from './pipeline/tune/store.js';
export { type TuneSettings, tune } from './pipeline/tune/tune.js';
export type { Measured } from './pipeline/verify/case.js';
export { type CaseResult, findCases, verifyCase } from './pipeline/verify/verify.js';
