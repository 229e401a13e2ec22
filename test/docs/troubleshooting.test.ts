import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/exitCodes.js';
import * as all from '../../src/errors.js';
import * as index from '../../src/index.js';
import { isTypeScript, sourceTree } from '../support/sourceTree.js';

const PAGE = 'docs/guide/troubleshooting.md';
/** Stands for what differs, in the page's messages and in the texts of the sources. */
const DIFFERS = '…';

interface Section {
  readonly code: number;
  /** Names of error classes in the heading. */
  readonly classes: readonly string[];
  readonly body: string;
}

function sectionsOf(page: string): Section[] {
  return page
    .split(/^## /m)
    .map((text) => /^Exit code (\d+): (.*)\n([\s\S]*)/.exec(text))
    .filter((match) => match !== null)
    .map(([, code, heading, body]) => ({
      code: Number(code),
      classes: [...heading!.matchAll(/\b([A-Z]\w*Error)\b/g)].map(([, name]) => name!),
      body: body!,
    }));
}

/** The messages that a section quotes: code in the first column of its tables. */
const messagesOf = ({ body }: Section): string[] =>
  [...body.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map(([, text]) => text!),
  );

/** What an expression of text says, with the mark for all that is known only when it runs. */
function textOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => DIFFERS + literal.text).join('');
  }
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return textOf(node.left) + textOf(node.right);
  }
  return DIFFERS;
}

/** Every text of a source file; of joined texts the whole. */
function textsOf(path: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpression(node)) {
      const text = textOf(node);
      if (text !== DIFFERS) found.push(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.Latest));
  return found;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether some text says a message: its pieces one after the other, with anything where it has the mark. */
const isSaid = (message: string, texts: readonly string[]): boolean => {
  const pattern = new RegExp(message.split(DIFFERS).map(escaped).join('[\\s\\S]*'));
  return texts.some((text) => pattern.test(text));
};

/** The classes among what the module has. */
const { EXIT_CODES: _, messageOf: _words, ...errors } = all;

describe(PAGE, () => {
  const sections = sectionsOf(readFileSync(PAGE, 'utf8'));
  const texts = Object.entries(sourceTree('src'))
    .filter(([path]) => isTypeScript(path))
    .flatMap(([path, source]) => textsOf(path, source));

  it('has a section for every exit code, in order', () => {
    expect(sections.map(({ code }) => code)).toEqual(exitCodes.map(([code]) => code));
  });

  it('has every class of errors under the exit code that it ends with', () => {
    const found = sections.flatMap(({ code, classes }) => classes.map((name) => [name, code]));
    const wanted = Object.entries(errors).map(([name, Class]) => [name, new Class('').exitCode]);
    expect(found.sort()).toEqual(wanted.sort());
  });

  it('names classes that a program can import', () => {
    const classes = Object.keys(errors).filter((name) => name.endsWith('Error'));
    expect(Object.keys(index)).toEqual(expect.arrayContaining(classes));
  });

  it('quotes messages for every code but 0', () => {
    for (const section of sections.slice(1))
      expect(messagesOf(section), `code ${section.code}`).not.toEqual([]);
  });

  it('quotes only messages that the sources say', () => {
    const messages = sections.flatMap(messagesOf);
    expect(messages.length).toBeGreaterThan(60);
    expect(messages.filter((message) => !isSaid(message, texts))).toEqual([]);
  });

  it('is held by a check that catches a message that was changed', () => {
    expect(isSaid('There is no preset …', texts)).toBe(true);
    expect(isSaid('There is no such preset …', texts)).toBe(false);
    expect(isSaid('the device is … full', texts)).toBe(false);
  });
});
