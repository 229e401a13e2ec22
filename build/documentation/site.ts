/**
 * The documentation as one site by TypeDoc: guides and other pages as they stand in the repository, references of the configuration
 * and of the commands, then the reference of the API. The pages stay plain Markdown, for people who read them where the sources lie:
 * their names come from their headings, their order from `pages.ts`.
 */
import { readFileSync, statSync } from 'node:fs';
import { extname, relative, resolve, sep } from 'node:path';
import {
  Application,
  type CommentDisplayPart,
  Converter,
  type DocumentReflection,
  type ProjectReflection,
  ReflectionKind,
  TSConfigReader,
  TypeDocReader,
} from 'typedoc';
import { FRONT_PAGE, pages, sectionOf, sections, titleOf } from './pages.js';
import { writeReferences } from './references.js';
import { sourceAddress } from './sourcePages.js';

/** Files that a page shows or hands over as they are; all others are shown as sources. */
const COPIED = ['.png', '.svg', '.ico'];

/** Kinds of names within a module, in the order in which their groups stand. */
const KINDS = ['Modules', 'Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables'];

const fromRoot = (path: string): string => relative(resolve('.'), path).split(sep).join('/');

/** Pages at the site's root link to sources beside them, documents from their folder. */
const upFrom = (document: DocumentReflection | null): string => (document === null ? '' : '../');

/** TypeDoc set up for the site, not yet converted, with the pages that are made for it. Links to sources that its pages ask for are added to `linked`. */
export async function prepareSite(linked: Set<string>): Promise<Application> {
  await writeReferences();
  const application = await Application.bootstrapWithPlugins(
    {
      readme: FRONT_PAGE,
      projectDocuments: [...pages],
      groupOrder: [...sections.map(({ title }) => title), ...KINDS, '*'],
    },
    [new TypeDocReader(), new TSConfigReader()],
  );
  const { converter } = application;
  converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const path = fromRoot(document.project.files.getReflectionPath(document)!);
    document.name = titleOf(path);
    document.frontmatter.group = sectionOf(path)!.title;
  });
  converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    const documents = project.getReflectionsByKind(ReflectionKind.Document) as DocumentReflection[];
    for (const document of documents) {
      document.content = linkSources(document.content, project, upFrom(document), linked);
    }
    if (project.readme) project.readme = linkSources(project.readme, project, upFrom(null), linked);
  });
  return application;
}

/**
 * Turns links to files and folders that are no pages of the site into links to their source pages; TypeDoc would hand files over
 * for download.
 */
function linkSources(
  parts: readonly CommentDisplayPart[],
  { files }: ProjectReflection,
  up: string,
  linked: Set<string>,
): CommentDisplayPart[] {
  return parts.map((part) => {
    if (part.kind !== 'relative-link' || part.target === undefined) return part;
    const path = files.resolvePath(part.target);
    if (path === undefined || COPIED.includes(extname(path)) || !isSource(path)) return part;
    const source = fromRoot(path);
    if (source === FRONT_PAGE || pages.includes(source)) return part;
    linked.add(source);
    return { kind: 'text', text: `${up}${sourceAddress(source)}` };
  });
}

/** Whether a path is a folder or a file of text. */
function isSource(path: string): boolean {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts?.isDirectory() === true || (facts?.isFile() === true && !readFileSync(path).includes(0));
}
