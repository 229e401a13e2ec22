import { access } from 'node:fs/promises';

/** Whether there is such a file or folder, as far as can be seen. */
export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
