/** Which Markdown pages the documentation site has, in their order; the reference of the API comes after them. */
import { readFileSync } from 'node:fs';

export interface Section {
  readonly title: string;
  /** Paths from the root of the repository. */
  readonly pages: readonly string[];
}

export const FRONT_PAGE = 'README.md';

/** Pages that `references.ts` writes when the site is built. */
export const GENERATED = {
  configuration: 'build/documentation/generated/configuration.md',
  commands: 'build/documentation/generated/commands.md',
} as const;

export const sections: readonly Section[] = [
  {
    title: 'Guides',
    pages: [
      'docs/guide/start-here.md',
      GENERATED.configuration,
      GENERATED.commands,
      'docs/guide/gradient-through-training.md',
      'docs/guide/use-the-engine.md',
      'docs/scale.md',
      'examples/README.md',
      'docs/guide/write-a-kernel.md',
      'docs/guide/debugging.md',
      'docs/guide/troubleshooting.md',
      'docs/guide/comparison.md',
    ],
  },
  {
    title: 'The method',
    pages: ['docs/equations.md', 'docs/results.md', 'docs/choosing-presets.md', 'docs/studies.md'],
  },
  {
    title: 'Speed',
    pages: ['docs/performance.md', 'docs/benchmarks.md', 'docs/benchmarks-llvmpipe.md'],
  },
  {
    title: 'The project',
    pages: [
      'docs/architecture.md',
      'docs/reliability.md',
      'CONTRIBUTING.md',
      'docs/dependencies.md',
      'CHANGELOG.md',
    ],
  },
];

export const pages: readonly string[] = sections.flatMap((section) => section.pages);

/** Those that stand in the repository. */
export const writtenPages: readonly string[] = pages.filter(
  (page) => !Object.values<string>(GENERATED).includes(page),
);

/** The section of a page; undefined where it has none. */
export const sectionOf = (page: string): Section | undefined =>
  sections.find((section) => section.pages.includes(page));

/** Names in the navigation of pages whose headings alone would not tell them apart. */
const names: Readonly<Record<string, string>> = {
  'docs/benchmarks.md': 'Benchmarks on SwiftShader',
  'docs/benchmarks-llvmpipe.md': "Benchmarks on Mesa's llvmpipe",
};

/** A page's name in the navigation: its first heading, without marks of code or emphasis. */
export function titleOf(path: string): string {
  const name = names[path];
  if (name !== undefined) return name;
  const heading = /^# (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
  if (heading === undefined)
    throw new Error(`${path} has no heading of the first level; begin it with "# Title".`);
  return heading.replace(/[`*_]/g, '').trim();
}
