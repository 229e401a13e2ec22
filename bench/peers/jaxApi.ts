/** As much of jax-js as is used. Every function takes its arguments over; `ref` keeps one for another use. */

export interface JaxArray {
  readonly shape: number[];
  readonly ref: this;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray): JaxArray;
  div(other: JaxArray): JaxArray;
  sum(): JaxArray;
  mean(axes?: number[], options?: { keepdims: boolean }): JaxArray;
  reshape(shape: number[]): JaxArray;
  transpose(): JaxArray;
  slice(...ranges: (readonly [] | readonly [number, number])[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** What a traced function takes and gives. */
export type JaxTree = JaxArray | JaxTree[];

type Function<Inputs extends JaxTree[], Output extends JaxTree> = (...inputs: Inputs) => Output;

export interface Jax {
  readonly numpy: {
    readonly int32: unknown;
    array(
      data: Float32Array | Int32Array | number,
      options?: { shape?: number[]; dtype?: unknown },
    ): JaxArray;
    zeros(shape: number[]): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    take(table: JaxArray, indices: JaxArray, axis: number): JaxArray;
  };
  readonly nn: { relu(x: JaxArray): JaxArray };
  readonly lax: {
    convGeneralDilated(
      images: JaxArray,
      weight: JaxArray,
      strides: number[],
      padding: [number, number][],
    ): JaxArray;
  };
  readonly tree: { dispose(tree: JaxTree): void };
  init(backend: string): Promise<string[]>;
  defaultDevice(backend: string): unknown;
  jit<Inputs extends JaxTree[], Output extends JaxTree>(
    f: Function<Inputs, Output>,
  ): Function<Inputs, Output>;
  grad<Input extends JaxTree>(f: (input: Input) => JaxArray): (input: Input) => Input;
  valueAndGrad<Inputs extends JaxTree[]>(
    f: (...inputs: Inputs) => JaxArray,
    options?: { argnums: number[] },
  ): (...inputs: Inputs) => [JaxArray, JaxArray[]];
  vjp(f: (x: JaxArray) => JaxArray, at: [JaxArray]): [JaxArray, (cotangent: JaxArray) => JaxArray[]];
  blockUntilReady(tree: JaxTree): Promise<unknown>;
}
