/**
 * What a sweep's folder keeps about SLURM, in `slurm/`: the sweep's name there, the scripts, the job of each task, a file for each
 * submission, and the logs. The jobs of an array never change, for its name is a hash of theirs: nodes and people may read them at any time.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../../errors.js';
import { readBounded } from '../../store/boundedFile.js';
import { plainDisk } from '../../store/disk.js';
import { readingFailure, writingFailure } from '../../store/failures.js';
import { JOB_NAME } from '../graph.js';
import type { JobArray } from './arrays.js';
import { jobsFile, LOGS, logFile, SLURM_FOLDER, scriptFile } from './script.js';

const NAME_FILE = 'name';
const SUBMITTED = 'submitted';
const NAME_BYTES = 4;
const NAME = /^[0-9a-f]{8}\n$/;
/** Bytes that a file of jobs may have: a name a line for the largest array that SLURM can be set to take. */
const LARGEST_LIST = 2 ** 28;

/** One submission of an array. */
export interface Submission {
  readonly array: string;
  /** Number that SLURM gave it. */
  readonly number: number;
}

/** The part of a sweep's folder that SLURM's side of it needs. Every method throws `StoreError`. */
export interface SlurmFolder {
  /** The sweep's folder. */
  readonly path: string;
  /** Names the sweep among all that a cluster knows; it is drawn when it is first asked for. */
  sweepName(): Promise<string>;
  /** Writes an array's script and the job of each of its tasks. */
  writeArray(array: JobArray, script: string): Promise<void>;
  /** Writes the script that submits all of them. */
  writeSubmitScript(text: string): Promise<void>;
  /** The job of each task, by the array's name, of all arrays that were ever written. */
  readArrays(): Promise<Map<string, readonly string[]>>;
  /** Keeps that an array was submitted. */
  recordSubmission(submission: Submission): Promise<void>;
  /** All submissions that were kept. */
  readSubmissions(): Promise<Submission[]>;
  /** The file of an array's script. */
  scriptOf(array: string): string;
  /** The file with what a task printed. */
  logOf(submission: Submission, task: number): string;
}

const orNothing = (error: NodeJS.ErrnoException): string[] => {
  if (error.code === 'ENOENT') return [];
  throw error;
};

/** Opens what a sweep's folder keeps about SLURM; nothing is written before it is asked for. */
export function slurmFolder(path: string): SlurmFolder {
  const at = (...names: string[]): string => join(path, SLURM_FOLDER, ...names);
  const names = async (...where: string[]): Promise<string[]> => {
    try {
      return await readdir(at(...where)).catch(orNothing);
    } catch (error) {
      throw readingFailure(at(...where), error, 'Permit it and run the same command again.');
    }
  };
  const text = async (name: string, limit: number): Promise<string> => {
    try {
      return new TextDecoder().decode(await readBounded(at(name), limit));
    } catch (error) {
      throw readingFailure(at(name), error, 'See that the sweep folder is whole.');
    }
  };
  return {
    path,
    async sweepName() {
      const file = at(NAME_FILE);
      if (!(await names()).includes(NAME_FILE)) {
        const drawn = at(`${NAME_FILE}.${randomBytes(NAME_BYTES).toString('hex')}`);
        await plainDisk.writeWhole(drawn, `${randomBytes(NAME_BYTES).toString('hex')}\n`);
        try {
          // Of two who draw one at a time, the first is believed, on network disks too.
          await link(drawn, file);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
            throw writingFailure(file, 'created', error);
        } finally {
          await rm(drawn, { force: true }).catch(() => undefined);
        }
      }
      const name = await text(NAME_FILE, 64);
      if (!NAME.test(name)) {
        throw new StoreError(
          `${file} is damaged. Cancel the sweep's jobs with scancel, delete the file and submit the sweep again.`,
        );
      }
      return name.trim();
    },
    async writeArray({ name, jobs }, script) {
      await plainDisk.writeWhole(at(jobsFile(name)), jobs.map((job) => `${job}\n`).join(''));
      await plainDisk.writeWhole(at(scriptFile(name)), script);
      // SLURM makes no folders for logs: a task without its log's folder ends at once.
      await mkdir(at(LOGS), { recursive: true }).catch((error) => {
        throw writingFailure(at(LOGS), 'created', error);
      });
    },
    writeSubmitScript: (script) => plainDisk.writeWhole(at('submit.sh'), script),
    async readArrays() {
      const arrays = new Map<string, readonly string[]>();
      for (const name of await names()) {
        if (!name.endsWith('.jobs')) continue;
        const jobs = (await text(name, LARGEST_LIST)).split('\n').slice(0, -1);
        if (!jobs.every((job) => JOB_NAME.test(job))) {
          throw new StoreError(
            `${at(name)} is damaged: a line of it names no job. Delete it and submit the sweep again.`,
          );
        }
        arrays.set(name.slice(0, -'.jobs'.length), jobs);
      }
      return arrays;
    },
    recordSubmission: ({ array, number }) => plainDisk.writeWhole(at(SUBMITTED, `${array}.${number}`), ''),
    async readSubmissions() {
      return (await names(SUBMITTED)).flatMap((name) => {
        const [, array, number] = /^([A-Za-z]+-[0-9a-f]+)\.(\d{1,15})$/.exec(name) ?? [];
        return array === undefined ? [] : [{ array, number: Number(number) }];
      });
    },
    scriptOf: (array) => at(scriptFile(array)),
    logOf: ({ array, number }, task) => join(path, logFile(array, number, task)),
  };
}
