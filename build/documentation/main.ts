/** `npm run docs`: builds the documentation site, and fails where TypeDoc warns or a link leads nowhere. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brokenLinks } from './links.js';
import { prepareSite } from './site.js';
import { writeSourcePages } from './sourcePages.js';

/** What *Defined in* may lead to. */
const sources = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

const linked = new Set(sources);
const application = await prepareSite(linked);
const project = await application.convert();
if (project !== undefined) {
  application.validate(project);
  const site = application.options.getValue('out');
  await application.generateDocs(project, site);
  await writeSourcePages(site, linked);
  for (const broken of brokenLinks(site)) application.logger.error(broken);
}
process.exitCode =
  project === undefined || application.logger.hasErrors() || application.logger.hasWarnings() ? 1 : 0;
