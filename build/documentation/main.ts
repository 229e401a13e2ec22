/** `npm run docs`: builds the documentation site, and fails where TypeDoc warns or a link leads nowhere. */
import { brokenLinks } from './links.js';
import { prepareSite } from './site.js';
import { writeSourcePages } from './sourcePages.js';

// *Defined in* may lead to any of them.
const linked = new Set(['src']);
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
