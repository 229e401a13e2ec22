/** Stages that are to run though they are done, as a user names them. */
import { ConfigError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import type { Config } from '../config/schema.js';
import type { StageName } from '../progress.js';
import { stages, stagesOf } from '../stageList.js';

/** @throws ConfigError for a name of no stage, or of one that this configuration does not have. */
export function requireStages(names: readonly string[], config: Config): Set<StageName> {
  const known = stagesOf(config).map(({ name }) => name);
  return new Set(
    names.map((wanted) => {
      const found = known.find((name) => name === wanted);
      if (found !== undefined) return found;
      const isOther = stages.some(({ name }) => name === wanted);
      throw new ConfigError(
        isOther
          ? `--force ${wanted}: this configuration has no such stage; it has ${known.join(', ')}.`
          : `--force ${JSON.stringify(wanted)} names no stage.${didYouMean(wanted, known)} There are ${known.join(', ')}.`,
      );
    }),
  );
}
