/**
 * YAML from anybody, as the plain values that a configuration is made of. The text is bounded in size and in depth before it
 * is composed, which is recursive: near the end of the stack the process would be gone, and no error be caught.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  parseDocument,
  visit,
} from 'yaml';
import { fileLimits } from '../store/boundedFile.js';
import { sizeText } from '../store/bytes.js';
import { shown } from '../store/shownText.js';

/** Lists and groups within one another. A configuration has four. */
const DEEPEST = 16;
/** The parser's stack holds the document and the value at hand as well. */
const AROUND = 2;
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

/**
 * The parser's stack is watched while it builds its tokens, for already there it calls itself where many levels end at once.
 */
function requireShallow(text: string): void {
  const parser = new Parser();
  let position = 0;
  for (const lexeme of new Lexer().lex(text)) {
    // The tokens themselves are of no use yet.
    for (const _ of parser.next(lexeme));
    position += lexeme.length;
    if (parser.stack.length > DEEPEST + AROUND) {
      throw new YamlFault(`it nests more than ${DEEPEST} deep`, Math.min(position, text.length - 1));
    }
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
