/** What a visitor sees whose browser has no WebGPU: why, how to switch it on, and a run that was recorded. */
export function NoGpu({ reason }: { readonly reason: string }) {
  return (
    <section aria-label="No WebGPU">
      <p class="lead">{reason}</p>
    </section>
  );
}
