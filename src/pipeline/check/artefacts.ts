/** Whether the files that the manifest names are those that the stages left. */
import { DataError, StoreError } from '../../errors.js';
import { readingFault } from '../store/boundedFile.js';
import { NewerFileError, requireVersion, TENSORS_VERSION } from '../store/formatVersion.js';
import type { StageRecord } from '../store/manifest.js';
import { isInside } from '../store/runFolder.js';
import { type Finding, flaw, NEWER, RUN_AGAIN, remake } from './finding.js';
import { hashFile, type ScannedFolder, type ScannedTensors, scanTensors } from './scannedFolder.js';

const TENSORS = '.safetensors';

/** One file of one stage; what was looked through is added to `scanned`. */
async function checkArtefact(
  view: ScannedFolder,
  stage: string,
  [file, hash]: readonly [string, string],
  scanned: Map<string, ScannedTensors>,
): Promise<Finding[]> {
  if (!isInside(file)) {
    return [
      flaw(null, {
        what: `The manifest names ${JSON.stringify(file)} as a file of the stage ${stage}, which leads out of the folder.`,
        means: 'No run of ours wrote it: the manifest was changed by somebody.',
        mends: 'Do not run anything on this folder; take one from where you trust it.',
      }),
    ];
  }
  if (!view.sizes.has(file)) return [flaw(file, { what: 'It is missing.', ...remake(stage) })];
  try {
    if ((await hashFile(view, file)) !== hash) {
      return [
        flaw(file, { what: 'Its bytes are not those that the stage wrote (SHA-256).', ...remake(stage) }),
      ];
    }
    if (!file.endsWith(TENSORS)) return [];
    const found = await scanTensors(view, file);
    scanned.set(file, found);
    requireVersion(file, found.metadata.version, TENSORS_VERSION);
    return found.notFinite === null ? [] : [notFinite(file, stage, found.notFinite)];
  } catch (error) {
    if (error instanceof NewerFileError) return [flaw(file, { what: error.message, ...NEWER })];
    if (error instanceof DataError || error instanceof StoreError) {
      return [flaw(file, { what: error.message, ...remake(stage) })];
    }
    return [
      flaw(file, {
        what: `It ${readingFault(error)}.`,
        means: 'Nothing that reads it can go on.',
        mends: `Make it readable, or see that the disk is sound. ${RUN_AGAIN}`,
      }),
    ];
  }
}

const notFinite = (file: string, stage: string, tensor: string): Finding =>
  flaw(file, {
    what: `Its tensor ${tensor} holds a number that is not finite.`,
    means: `The stage ${stage} diverged. Its bytes are as it wrote them, so that a run would take it for done.`,
    mends: `${RUN_AGAIN.slice(0, -1)} with a lower learning rate of the stage ${stage}.`,
  });

/** All files of all stages, each once: a part's file is its stage's too. */
export async function checkArtefacts(
  view: ScannedFolder,
  manifest: ReadonlyMap<string, StageRecord>,
): Promise<{ readonly findings: Finding[]; readonly scanned: ReadonlyMap<string, ScannedTensors> }> {
  const scanned = new Map<string, ScannedTensors>();
  const findings: Finding[] = [];
  const seen = new Set<string>();
  // Parts first: what a part made is told by its name, and made again alone.
  const records = [...manifest].sort(([a], [b]) => Number(b.includes('/')) - Number(a.includes('/')));
  for (const [stage, { artefacts }] of records) {
    for (const [file, hash] of Object.entries(artefacts)) {
      if (seen.has(`${file} ${hash}`)) continue;
      seen.add(`${file} ${hash}`);
      findings.push(...(await checkArtefact(view, stage, [file, hash], scanned)));
    }
  }
  return { findings, scanned };
}
