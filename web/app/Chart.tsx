import { useEffect, useRef } from 'preact/hooks';
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

/** A curve over its number of iterations. */
export function Chart({ title, summary, x, y, smooth, height, end }: ChartProps) {
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
      points: { show: false },
    });
    const drawn = new uPlot(
      {
        width: place.current!.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, range: [0, end] } },
        axes: [
          { ...axis, size: 28 },
          { ...axis, size: 44 },
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

  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span class="sr">: {summary}</span>
      </figcaption>
      <div ref={place} aria-hidden="true" style={{ height }} />
    </figure>
  );
}
