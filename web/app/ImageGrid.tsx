import { useEffect, useRef } from 'preact/hooks';
import { brightness } from '../pixels.js';
import type { ImageTable } from '../protocol.js';
import { type Colour, mix, type Theme, useTheme } from './theme.js';

/** How an image's numbers become colours. */
export type Shading = 'ink' | 'signed';

interface ImageGridProps extends ImageTable {
  /** What a listener is told; null for a picture that stands for what is told beside it. */
  readonly label: string | null;
  readonly columns: number;
  /** `ink`: brightness from paper to ink. `signed`: from one colour over paper to another, for numbers as they are. */
  readonly shading?: Shading;
  /** The number that has the full colour, with `signed`. */
  readonly largest?: number;
}

/** Image pixels between two images. */
const GAP = 2;

/** Images of a row, where so many are shown. */
export const columnsFor = (count: number): number => (count <= 25 ? 5 : 10);

function colourOf(theme: Theme, props: ImageGridProps, value: number): Colour {
  const { shading = 'ink', largest = 1, mean, deviation } = props;
  if (shading === 'ink') return mix(theme.paper, theme.ink, brightness(value, mean[0]!, deviation[0]!));
  const share = Math.min(Math.abs(value) / largest, 1);
  return mix(theme.paper, value > 0 ? theme.accent : theme.contrary, Math.sqrt(share));
}

function draw(canvas: HTMLCanvasElement, props: ImageGridProps, theme: Theme): void {
  const { data, count, image, columns } = props;
  const [, height, width] = image;
  const rows = Math.ceil(count / columns);
  canvas.width = columns * (width + GAP) - GAP;
  canvas.height = rows * (height + GAP) - GAP;
  const context = canvas.getContext('2d')!;
  const picture = context.createImageData(canvas.width, canvas.height);
  const row = data.length / count;
  for (let k = 0; k < count; k++) {
    const left = (k % columns) * (width + GAP);
    const top = Math.floor(k / columns) * (height + GAP);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [red, green, blue] = colourOf(theme, props, data[k * row + pixel]!);
      const x = left + (pixel % width);
      const y = top + Math.floor(pixel / width);
      picture.data.set([red, green, blue, 255], (y * canvas.width + x) * 4);
    }
  }
  context.putImageData(picture, 0, 0);
}

/** Images of one channel side by side, drawn in the page's own ink. */
export function ImageGrid(props: ImageGridProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const { data, count, columns, shading, largest } = props;
  useEffect(() => draw(canvas.current!, props, theme), [data, count, columns, shading, largest, theme]);
  const picture = <canvas ref={canvas} class="images" />;
  if (props.label === null) return <div aria-hidden="true">{picture}</div>;
  return (
    <div role="img" aria-label={props.label}>
      {picture}
    </div>
  );
}
