/** The page's colours where CSS does not reach: in canvases. */
import { useEffect, useState } from 'preact/hooks';

export type Colour = readonly [red: number, green: number, blue: number];

export interface Theme {
  readonly paper: Colour;
  readonly ink: Colour;
  readonly accent: Colour;
  /** The other end of signed colours. */
  readonly contrary: Colour;
  readonly quiet: Colour;
}

const light: Theme = {
  paper: [250, 249, 246],
  ink: [28, 27, 25],
  accent: [194, 65, 12],
  contrary: [29, 78, 156],
  quiet: [110, 106, 98],
};

const dark: Theme = {
  paper: [20, 20, 19],
  ink: [237, 234, 226],
  accent: [251, 146, 60],
  contrary: [110, 168, 254],
  quiet: [154, 150, 140],
};

export const css = ([red, green, blue]: Colour, alpha = 1): string =>
  `rgb(${red} ${green} ${blue} / ${alpha})`;

/** Between two colours: `share` 0 is the first. */
export const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

const query = '(prefers-color-scheme: dark)';

/** The colours that the visitor's system asks for, and new ones when it asks for others. */
export function useTheme(): Theme {
  const [isDark, setDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const read = (): void => setDark(list.matches);
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, []);
  return isDark ? dark : light;
}
