import { useEffect, useRef, useState } from 'preact/hooks';
import './locale.js';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { css, useTheme } from './theme.js';

interface ChartProps {
  /** Names the curve, over it. */
  readonly title: string;
  /** In words what the curve shows: all that a listener gets of it. */
  readonly summary: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** A second curve through the first one, heavier. */
  readonly smooth?: readonly (number | null)[];
  readonly height: number;
  /** The last x that the axis holds, whether it is reached or not. */
  readonly end: number;
}

/** Losses of so many iterations are one point of the heavy curve. */
const SMOOTH_OVER = 10;

/** The mean of the last losses at each; null while there are too few. */
export function smoothed(losses: readonly number[]): (number | null)[] {
  return losses.map((_, last) => {
    if (last + 1 < SMOOTH_OVER) return null;
    const window = losses.slice(last + 1 - SMOOTH_OVER, last + 1);
    return window.reduce((total, loss) => total + loss, 0) / SMOOTH_OVER;
  });
}

/** Points that a key goes on by. */
const STRIDES: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** A curve over its number of iterations. The pointer, or arrow keys, read it point by point. */
export function Chart({ title, summary, x, y, smooth, height, end }: ChartProps) {
  const [read, setRead] = useState<number | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const data = useRef<uPlot.AlignedData>([[], []]);
  data.current = smooth === undefined ? [[...x], [...y]] : [[...x], [...y], [...smooth]];
  const isDouble = smooth !== undefined;

  useEffect(() => {
    const axis: uPlot.Axis = {
      stroke: css(theme.quiet),
      grid: { stroke: css(theme.quiet, 0.18), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    const line = (width: number, alpha: number): uPlot.Series => ({
      stroke: css(theme.accent, alpha),
      width,
      // A curve of one point is no line.
      points: { show: ({ data: [numbers] }) => numbers.length === 1 },
    });
    const drawn = new uPlot(
      {
        width: place.current!.clientWidth,
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        hooks: { setCursor: [({ cursor: { idx } }) => setRead(idx ?? null)] },
        scales: {
          x: { time: false, range: [0, end] },
          // Before the first point there is an axis already, so that nothing jumps when it comes.
          y: {
            range: (_, least, most) => (least === null ? [0, 1] : uPlot.rangeNum(least, most, 0.1, true)),
          },
        },
        axes: [
          { ...axis, size: 28 },
          { ...axis, size: 44, space: 26 },
        ],
        series: isDouble ? [{}, line(1, 0.4), line(2, 1)] : [{}, line(1.5, 1)],
      },
      data.current,
      place.current!,
    );
    plot.current = drawn;
    const watch = new ResizeObserver(([entry]) => drawn.setSize({ width: entry!.contentRect.width, height }));
    watch.observe(place.current!);
    return () => {
      watch.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [theme, height, end, isDouble]);
  useEffect(() => plot.current?.setData(data.current), [x, y, smooth]);

  const readAt = (point: number): void => {
    const at = Math.min(Math.max(point, 0), x.length - 1);
    const { current } = plot;
    current?.setCursor({ left: current.valToPos(x[at]!, 'x'), top: current.valToPos(y[at] ?? 0, 'y') });
  };
  const last = x.length - 1;
  const now = Math.min(read ?? last, last);
  const reading = last < 0 ? '' : `iteration ${x[now]}: ${y[now]?.toFixed(3) ?? '–'}`;
  const reader = {
    tabIndex: 0,
    role: 'slider',
    'aria-label': `${title}, point by point`,
    'aria-valuemin': 1,
    'aria-valuemax': x.length,
    'aria-valuenow': now + 1,
    'aria-valuetext': reading,
    onKeyDown: (event: KeyboardEvent): void => {
      const stride = STRIDES[event.key];
      if (stride === undefined) return;
      event.preventDefault();
      readAt(now + stride);
    },
    onFocus: ({ currentTarget }: { readonly currentTarget: Element }): void => {
      if (currentTarget.matches(':focus-visible')) readAt(now);
    },
    onBlur: (): void => plot.current?.setCursor({ left: -10, top: -10 }),
  } as const;
  return (
    <figure class="chart">
      <figcaption>
        <span>
          {title}
          <span class="sr">: {summary}</span>
        </span>
        <span aria-hidden="true">{read === null ? '' : reading}</span>
      </figcaption>
      <div ref={place} style={{ height }} {...(last < 0 ? { 'aria-hidden': true } : reader)} />
    </figure>
  );
}
