/** What `hypergrad check` finds in a run's folder, as data. */

/** One thing that was found. */
export interface Finding {
  /** A `flaw` is damage, or something that is missing; a `note` is nothing wrong, but good to know. */
  readonly kind: 'flaw' | 'note';
  /** The file or folder by its name in the run's folder; null where it is the folder itself. */
  readonly file: string | null;
  /** What is there, in a sentence. */
  readonly what: string;
  /** What follows from it. */
  readonly means: string;
  /** What mends it; what to do about a note. */
  readonly mends: string;
}

type Words = Omit<Finding, 'kind' | 'file'>;

// The words come first: a finding may be told again as one of the other kind.
export const flaw = (file: string | null, words: Words): Finding => ({ ...words, kind: 'flaw', file });
export const note = (file: string | null, words: Words): Finding => ({ ...words, kind: 'note', file });

/** What mends most. */
export const RUN_AGAIN = "Run the run's command again.";

/** What there is to say of a file of a newer version, which is not to be deleted for it. */
export const NEWER: Pick<Finding, 'means' | 'mends'> = {
  means: 'This version of hypergrad cannot read it, nor tell whether it is whole. Nothing is lost.',
  mends: 'Use that version of hypergrad.',
};

/** What mends a stage whose files are not as it left them. */
export const remake = (stage: string): Pick<Finding, 'means' | 'mends'> => ({
  means: `The stage ${stage} does not count as done, and nothing that reads it can be relied on.`,
  mends: `${RUN_AGAIN} It makes the stage ${stage} again, with the same bits on the same device, and what depends on it where those differ.`,
});
