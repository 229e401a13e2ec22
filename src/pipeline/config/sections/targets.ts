/** Configuration of the representations that the students regress. */
import { z } from 'zod';
import { section } from '../fields.js';

const error =
  'must be a .safetensors or .npy file, a list of two .npy files (of the training and the test images), or null';
const file = z.string({ error }).regex(/\.(safetensors|npy)$/i, { error });

export const targets = section({
  from: z
    .union([file, z.tuple([file, file])], { error })
    .nullable()
    .default(null)
    .describe(
      "Representations made elsewhere, in place of a teacher: safetensors with the tensors train [images, D] and test [images, D], one .npy file of both one after the other, or a list of two. Row i belongs to image i of the dataset's files. null trains a teacher.",
    ),
}).describe('The representations that the students regress.');
