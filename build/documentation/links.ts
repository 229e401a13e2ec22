/** Links and images of finished pages that lead nowhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ADDRESS = /\s(?:href|src)="([^"]*)"/g;
const ANCHOR = /\sid="([^"]*)"/g;
/** Addresses of other hosts, of programs and of data. */
const ELSEWHERE = /^([a-z][a-z0-9+.-]*:|\/\/)/i;

const plain = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const all = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => plain(found!));

/** One sentence a link of the site's pages whose file or anchor is not there. */
export function brokenLinks(site: string): string[] {
  const texts = new Map(
    readdirSync(site, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'utf8')]),
  );
  const anchors = new Map<string, Set<string>>();
  const anchorsOf = (path: string): Set<string> => {
    const known = anchors.get(path) ?? new Set(all(texts.get(path)!, ANCHOR));
    anchors.set(path, known);
    return known;
  };

  const faultOf = (page: string, address: string): string | null => {
    const [path = '', anchor = ''] = address.split('#').map(decodeURIComponent);
    const target = path === '' ? page : join(dirname(page), path.split('?')[0]!);
    if (!existsSync(target) || statSync(target).isDirectory())
      return `there is no file ${relative(site, target)}`;
    const isMissing = anchor !== '' && texts.has(target) && !anchorsOf(target).has(anchor);
    return isMissing ? `${relative(site, target)} has no place '${anchor}'` : null;
  };
  return [...texts].flatMap(([page, text]) =>
    [...new Set(all(text, ADDRESS))]
      .filter((address) => address !== '' && !ELSEWHERE.test(address))
      .flatMap((address) => {
        const fault = faultOf(page, address);
        return fault === null ? [] : [`${relative(site, page)} links to ${address}, but ${fault}.`];
      }),
  );
}
