/**
 * YAML from anybody, as the plain values that a configuration is made of. The text is bounded in size and in depth before it
 * is composed, which is recursive: near the end of the stack the process would be gone, and no error be caught.
 */
import {
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import { fileLimits, sizeText } from '../store/boundedFile.js';
import { shown } from '../store/shownText.js';

/** Lists and groups within one another. A configuration has four. */
const DEEPEST = 16;
/** Characters of the parser's own words. */
const LONGEST_REASON = 160;

/** Why a text is not taken; the message goes on after the name of its file. */
export class YamlFault extends Error {
  constructor(
    message: string,
    /** Where in the text; null where it is nowhere in particular. */
    readonly position: number | null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const options = {
  // The version that a text asks for would bring merge keys and types of its own.
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  // Looked for below: the parser's own way takes quadratic time.
  uniqueKeys: false,
  // Each of thousands of errors would quote its line.
  prettyErrors: false,
  // Quieter still, a second document would be passed over.
  logLevel: 'error',
} as const;

/** The tokens that lie directly in one. */
function innerTokens(token: CST.Token): CST.Token[] {
  switch (token.type) {
    case 'document':
      return token.value === undefined ? [] : [token.value];
    case 'block-map':
    case 'block-seq':
    case 'flow-collection':
      return token.items.flatMap(({ key, value }) => [key, value].filter((each) => each != null));
    default:
      return [];
  }
}

/** Walked with a stack of its own, and no further down than is allowed. */
function requireShallow(text: string): void {
  const waiting: { readonly token: CST.Token; readonly depth: number }[] = [];
  for (const token of new Parser().parse(text)) waiting.push({ token, depth: 0 });
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next;
    // The document is not a level of its own.
    if (depth > DEEPEST + 1) {
      throw new YamlFault(`it nests more than ${DEEPEST} deep`, 'offset' in token ? token.offset : null);
    }
    for (const inner of innerTokens(token)) waiting.push({ token: inner, depth: depth + 1 });
  }
}

/** A key twice in one group, and an alias, whose copies could be without number or within themselves. */
function requirePlain(document: Document): void {
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) {
        throw new YamlFault(
          `an alias (*${shown(node.source)}): write its value out`,
          node.range?.[0] ?? null,
        );
      }
    },
    Map(_, node) {
      const names = new Set<string>();
      for (const { key } of node.items) {
        const name = isScalar(key) ? String(key.value) : null;
        const position = isScalar(key) || isMap(key) ? (key.range?.[0] ?? null) : null;
        if (name === null) throw new YamlFault('a name that is no text', position);
        if (names.has(name)) throw new YamlFault(`${shown(name)} is given twice in one group`, position);
        names.add(name);
      }
    },
  });
}

/**
 * The one document of a text, and its plain value.
 *
 * @param lines told where lines begin, for positions
 * @throws YamlFault for what is not YAML or larger than a configuration, nests deeper, has a key twice, or uses aliases and tags.
 */
export function parseYaml(
  text: string,
  lines = new LineCounter(),
): { readonly document: Document; readonly value: unknown } {
  if (text.length > fileLimits.configuration) {
    throw new YamlFault(`it holds more than ${sizeText(fileLimits.configuration)}`, null);
  }
  requireShallow(text);
  const document = parseDocument(text, { ...options, lineCounter: lines });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault)
    throw new YamlFault(
      `not valid YAML: ${shown(fault.message.replace(/\.$/, ''), LONGEST_REASON)}`,
      fault.pos[0],
      { cause: fault },
    );
  requirePlain(document);
  return { document, value: document.toJS() };
}
