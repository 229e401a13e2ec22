import { type Application, Logger, LogLevel, type ProjectReflection, ReflectionKind } from 'typedoc';
import { beforeAll, describe, expect, it } from 'vitest';
import { sections, titleOf } from '../../build/documentation/pages.js';
import { prepareSite } from '../../build/documentation/site.js';
import { filesBelow, folderPage, sourceAddress, sourcePage } from '../../build/documentation/sourcePages.js';

class Collector extends Logger {
  readonly warnings: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.warnings.push(message);
  }
}

describe('the documentation site', () => {
  const collector = new Collector();
  const linked = new Set<string>();
  let application: Application;
  let project: ProjectReflection;

  beforeAll(async () => {
    application = await prepareSite(linked);
    application.logger = collector;
    project = (await application.convert())!;
    application.validate(project);
  });

  it('builds without a warning: every public name is documented, every link of a comment leads somewhere', () => {
    expect(project.children!.length).toBeGreaterThan(0);
    expect(collector.warnings).toEqual([]);
  });

  it('has the guides first, then the other pages in their sections, then the reference', () => {
    const groups = project.groups!.map(({ title, children }) => [title, children.map(({ name }) => name)]);
    const wanted = sections.map((section) => [section.title, section.pages.map(titleOf)]);
    expect(groups).toEqual([...wanted, ['Reference of the API', ['hypergrad', 'hypergrad/node']]]);
  });

  it('shows sources that its pages link to as pages of its own', () => {
    expect(linked).toContain('src/autograd/gradient.ts');
    const equations = project
      .getReflectionsByKind(ReflectionKind.Document)
      .find(({ name }) => name === titleOf('docs/equations.md'))!;
    const text = JSON.stringify((equations as unknown as { content: unknown }).content);
    expect(text).toContain(`../${sourceAddress('src/autograd/gradient.ts')}`);
    expect(sourcePage('src/a.ts', 'const a = 1 < 2;\nb();\n')).toContain(
      '<span id="L1">const a = 1 &lt; 2;</span>\n<span id="L2">b();</span>',
    );
    expect(folderPage('examples/browser', filesBelow('examples/browser'))).toContain(
      '<a href="browser/plain/index.html.html">plain/index.html</a>',
    );
  });
});
