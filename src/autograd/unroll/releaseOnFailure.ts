/** Device memory that is made in several pieces: all of them are there in the end, or none. */

/** What holds device memory until it is released. */
export interface Owned {
  release(): void;
}

/**
 * Runs `make`, which hands each piece that it has made to `own`.
 *
 * @throws whatever `make` throws, when the pieces made so far are released.
 */
export async function releaseOnFailure<T>(
  make: (own: <Piece extends Owned>(piece: Piece) => Piece) => Promise<T>,
): Promise<T> {
  const owned: Owned[] = [];
  try {
    return await make((piece) => {
      owned.push(piece);
      return piece;
    });
  } catch (error) {
    for (const piece of owned) piece.release();
    throw error;
  }
}
