declare module 'wgsl-preprocessor/wgsl-preprocessor.js' {
  /** Template tag that resolves `#if ${…}`, `#elif ${…}`, `#else` and `#endif`. */
  export function wgsl(
    strings: TemplateStringsArray,
    ...values: readonly (number | string | boolean)[]
  ): string;
}
