/** A strict reader of the part of Graphviz's DOT language that the engine writes: anything else is an error. */

export interface Graph {
  readonly name: string;
  readonly nodes: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly clusters: readonly { readonly label: string; readonly members: readonly string[] }[];
}

const TOKEN = /\s*(->|[{}[\];,=]|[A-Za-z_]\w*|"(?:[^"\\\n]|\\[n"\\])*")/y;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`no DOT at '${text.slice(at, at + 40)}'`);
    tokens.push(match[1]!);
  }
  return tokens;
}

const unquote = (token: string): string =>
  token.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));

export function parseDot(text: string): Graph {
  const tokens = tokenize(text);
  let at = 0;
  const take = (wanted?: RegExp): string => {
    const token = tokens[at++] ?? 'the end';
    if (wanted !== undefined && !wanted.test(token)) throw new Error(`'${token}' where ${wanted} is due`);
    return token;
  };
  const name = /^[A-Za-z_]\w*$/;
  const string = /^"/;
  const nodes = new Map<string, Record<string, string>>();
  const edges: [string, string][] = [];
  const clusters: { label: string; members: string[] }[] = [];

  const attributes = (): Record<string, string> => {
    const result: Record<string, string> = {};
    take(/^\[$/);
    do {
      const key = take(name);
      take(/^=$/);
      result[key] = unquote(take(string));
    } while (take(/^[,\]]$/) === ',');
    take(/^;$/);
    return result;
  };
  const statements = (cluster?: { label: string; members: string[] }): void => {
    while (tokens[at] !== '}') {
      const first = take(name);
      if (first === 'subgraph') {
        take(/^cluster\d+$/);
        take(/^\{$/);
        const inner = { label: '', members: [] };
        clusters.push(inner);
        statements(inner);
      } else if (tokens[at] === '->') {
        take();
        edges.push([first, take(name)]);
        take(/^;$/);
      } else if (tokens[at] === '=') {
        take();
        const value = unquote(take(string));
        if (first === 'label' && cluster !== undefined) cluster.label = value;
        take(/^;$/);
      } else {
        const settings = attributes();
        if (first === 'node') continue;
        if (nodes.has(first)) throw new Error(`node ${first} is written twice`);
        nodes.set(first, settings);
        cluster?.members.push(first);
      }
    }
    take(/^\}$/);
  };

  take(/^digraph$/);
  const graphName = unquote(take(string));
  take(/^\{$/);
  statements();
  if (at !== tokens.length) throw new Error(`'${tokens[at]}' after the graph's end`);
  for (const [from, to] of edges) {
    if (!nodes.has(from) || !nodes.has(to)) throw new Error(`edge ${from} -> ${to} leads to no node`);
  }
  return { name: graphName, nodes, edges, clusters };
}
