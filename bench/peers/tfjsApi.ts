/** As much of TensorFlow.js as is used. */

export interface TfTensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

export type TfTree = TfTensor | TfTree[] | { readonly [name: string]: TfTree };

type Binary = (a: TfTensor, b: TfTensor | number) => TfTensor;
type Unary = (x: TfTensor) => TfTensor;

export interface Tf {
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly div: Binary;
  readonly square: Unary;
  readonly sum: Unary;
  readonly mean: Unary;
  readonly relu: Unary;
  readonly rsqrt: Unary;
  tensor(data: Float32Array | Int32Array, shape: readonly number[], dtype: 'float32' | 'int32'): TfTensor;
  scalar(value: number): TfTensor;
  reshape(x: TfTensor, shape: number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  /** NHWC images and an HWIO weight. */
  conv2d(x: TfTensor, weight: TfTensor, strides: number, pad: 'same'): TfTensor;
  avgPool(x: TfTensor, size: number, strides: number, pad: 'valid'): TfTensor;
  moments(x: TfTensor, axes: number[], keepDims: boolean): { mean: TfTensor; variance: TfTensor };
  gather(table: TfTensor, rows: TfTensor, axis: number): TfTensor;
  valueAndGrads(f: (...x: TfTensor[]) => TfTensor): (x: TfTensor[]) => { value: TfTensor; grads: TfTensor[] };
  grads(f: (...x: TfTensor[]) => TfTensor): (x: TfTensor[]) => TfTensor[];
  tidy<Tree extends TfTree>(f: () => Tree): Tree;
  dispose(tree: TfTree): void;
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  engine(): { runKernel(name: string, inputs: Record<string, TfTensor>, attributes: object): TfTensor };
  backend(): object;
}

/** Its WebGPU backend collects commands, and submits them when there are many, or when something is read. */
export interface TfWebgpuBackend {
  readonly queue: GPUQueue;
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}
