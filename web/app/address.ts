/** The page's state in its address: the view, every setting that is not as usual, and the set that was brought. */
import { type Choice, clamp } from '../choices.js';

export const views = ['distil', 'gradient', 'device'] as const;
export type View = (typeof views)[number];

const isView = (name: string | null): name is View => views.some((view) => view === name);

/** The view that an address asks for; the first for one that asks for none. */
export function readView(search: string): View {
  const name = new URLSearchParams(search).get('view');
  return isView(name) ? name : views[0];
}

/** Numbers by the names of their choices, each within its limits. */
export function readChoices<Name extends string>(
  search: string,
  choices: Readonly<Record<Name, Choice>>,
): Record<Name, number> {
  const parameters = new URLSearchParams(search);
  const names = Object.keys(choices) as Name[];
  return Object.fromEntries(
    names.map((name) => {
      const text = parameters.get(name);
      return [name, text === null ? choices[name].usual : clamp(choices[name], Number(text))];
    }),
  ) as Record<Name, number>;
}

/** An address's query with other values; what is as usual is left out. */
export function withChoices<Name extends string>(
  search: string,
  choices: Readonly<Record<Name, Choice>>,
  values: Readonly<Record<Name, number>>,
): string {
  const parameters = new URLSearchParams(search);
  for (const name of Object.keys(choices) as Name[]) {
    if (values[name] === choices[name].usual) parameters.delete(name);
    else parameters.set(name, String(values[name]));
  }
  return queryOf(parameters);
}

/** An address's query with another view. */
export function withView(search: string, view: View): string {
  const parameters = new URLSearchParams(search);
  if (view === views[0]) parameters.delete('view');
  else parameters.set('view', view);
  return queryOf(parameters);
}

/** Name of the brought set that an address asks for; null for the page's digits. */
export function readSet(search: string): string | null {
  const name = new URLSearchParams(search).get('set');
  return name !== null && /^[0-9a-f]{16}$/.test(name) ? name : null;
}

/** An address's query with another set. */
export function withSet(search: string, set: string | null): string {
  const parameters = new URLSearchParams(search);
  if (set === null) parameters.delete('set');
  else parameters.set('set', set);
  return queryOf(parameters);
}

function queryOf(parameters: URLSearchParams): string {
  const text = parameters.toString();
  return text === '' ? '?' : `?${text}`;
}
