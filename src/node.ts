/** hypergrad under Node: opening a device, and the pipeline over a run's folder. */
export { type DeviceChoice, type OpenDeviceOptions, openDevice } from './gpu/node/openDevice.js';
export { type ConfigSources, presetNames, resolveConfig } from './pipeline/config/resolve.js';
export type { Config } from './pipeline/config/schema.js';
export { type Dataset, type ImageSet, loadDataset } from './pipeline/data/dataset.js';
export { type Progress, type StageName, silentProgress } from './pipeline/progress.js';
export type { DistilEvent, HeldOutError, ResultRow, RunDevice, RunResult } from './pipeline/report/types.js';
export { type RunOptions, runPipeline } from './pipeline/run.js';
export { RunFolder } from './pipeline/store/runFolder.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  type TensorFile,
} from './pipeline/store/safetensors.js';
export type { Measured } from './pipeline/verify/case.js';
export { type CaseResult, findCases, verifyCase } from './pipeline/verify/verify.js';
