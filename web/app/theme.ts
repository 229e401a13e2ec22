/** The page's colours where CSS does not reach: in canvases. They are those of `style.css`. */
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

export const css = ([red, green, blue]: Colour, alpha = 1): string =>
  `rgb(${red} ${green} ${blue} / ${alpha})`;

/** Between two colours: `share` 0 is the first. */
export const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

const query = '(prefers-color-scheme: dark)';

/** A colour of the style sheet, by the name of its variable. A canvas knows every notation, and tells #rrggbb. */
function variable(name: string, style: CSSStyleDeclaration, context: CanvasRenderingContext2D): Colour {
  context.fillStyle = style.getPropertyValue(`--${name}`).trim();
  const [red, green, blue] = [1, 3, 5].map((at) =>
    Number.parseInt(String(context.fillStyle).slice(at, at + 2), 16),
  );
  return [red!, green!, blue!];
}

function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const context = document.createElement('canvas').getContext('2d')!;
  const colour = (name: string): Colour => variable(name, style, context);
  return {
    paper: colour('paper'),
    ink: colour('ink'),
    accent: colour('accent'),
    contrary: colour('contrary'),
    quiet: colour('quiet'),
  };
}

/** What was read, by whether the scheme is dark: one object each, so that nothing is drawn anew for its sake. */
const themes = new Map<boolean, Theme>();

function themeOf(isDark: boolean): Theme {
  const theme = themes.get(isDark) ?? readTheme();
  themes.set(isDark, theme);
  return theme;
}

/** The colours that the visitor's system asks for, and new ones when it asks for others. */
export function useTheme(): Theme {
  const [isDark, setDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const read = (): void => setDark(list.matches);
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, []);
  return themeOf(isDark);
}
