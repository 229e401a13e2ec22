/** A configuration as YAML that explains itself: each field under what it means, what fits and its default. */
import { Document, isMap, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { describeGroup, fieldDescriptions } from './describe.js';
import type { Fields } from './paths.js';

/** Characters of a line, its indentation among them. */
const WIDTH = 110;
/** Characters that each level is indented by. */
const INDENT = 2;

/** Breaks a text at its spaces into lines of at most so many characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A value as YAML writes it in one line. */
export function inlineYaml(value: unknown): string {
  const document = new Document(value);
  if (isSeq(document.contents)) document.contents.flow = true;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false }).trim();
}

/** What stands above a field, or a group of them, in paragraphs. */
function commentOf(path: string): string[] {
  const field = fieldDescriptions().find((each) => each.path === path);
  if (field === undefined) return [describeGroup(path)];
  return [field.description, `(${field.range}; default ${inlineYaml(field.default)})`];
}

/** Comments as `yaml` takes them: it puts the # in front. */
const comment = (lines: readonly string[]): string => lines.map((line) => ` ${line}`.trimEnd()).join('\n');

function annotate(map: YAMLMap, prefix: readonly string[]): void {
  for (const [index, pair] of (map.items as Pair<Scalar<string>, unknown>[]).entries()) {
    const path = [...prefix, pair.key.value];
    const width = WIDTH - 2 - INDENT * prefix.length;
    pair.key.commentBefore = comment(commentOf(path.join('.')).flatMap((text) => wrap(text, width)));
    pair.key.spaceBefore = index > 0 && (prefix.length === 0 || isMap(pair.value));
    if (isMap(pair.value)) annotate(pair.value, path);
    else if (isSeq(pair.value)) pair.value.flow = true;
  }
}

/** What goes in front of the fields. */
export interface Preamble {
  /** Comment lines at the top. */
  readonly lines: readonly string[];
  /** The preset that the fields are laid over, where the file is to name one. */
  readonly preset?: string;
}

/** Fields of the configuration, all or some, as commented YAML that `resolveConfig` reads again to the same values. */
export function commentedYaml(fields: Fields, { lines, preset }: Preamble): string {
  const document = new Document(fields);
  annotate(document.contents as YAMLMap, []);
  const head = lines.map((line) => `# ${line}`.trimEnd()).join('\n');
  const named = preset === undefined ? '' : `preset: ${inlineYaml(preset)}\n\n`;
  return `${head}\n\n${named}${document.toString({ lineWidth: 0, flowCollectionPadding: false })}`;
}
