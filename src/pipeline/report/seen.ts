/** The sections of a report on what is to be seen: representations, images, and how training went. */

import { RANDOM_ENCODER_ROW, SELF_SUPERVISED_ROW } from '../evaluate/rowNames.js';
import { averagingWindow } from '../stages/bestSet.js';
import { expertsChart, innerStepChart, lossChart, teacherChart } from './charts/curves.js';
import { colouredClasses, projectionChart } from './charts/projection.js';
import { renderSvg } from './charts/renderSvg.js';
import { chartFigure, NOTHING, pictureFigure, section } from './figures.js';
import { type Html, html, trusted } from './html.js';
import { project } from './projection.js';
import type { Pictures, ReportInput, RunCurves, RunResult } from './types.js';
import * as wording from './wording.js';

const percent = (share: number): string => `${Math.round(100 * share)}\u00a0%`;

/** What encoders make of held-out images, in one plane. */
export async function representationsSection(
  representations: ReportInput['representations'],
  deviceNote: string,
): Promise<Html> {
  const heading = 'What the encoders see';
  if (representations === null) {
    return section(
      heading,
      html`<p>This run kept no representations: it was evaluated by an earlier version. Give its command again with <code>--force evaluate</code> to have them.</p>`,
    );
  }
  const projection = await project(representations);
  if (projection === null) {
    return section(
      heading,
      html`<p>Too few held-out images, or a teacher that tells none apart: nothing to draw.</p>`,
    );
  }
  const panels: Html[] = [];
  for (const encoder of projection.encoders) {
    const share =
      encoder.share === null ? 'does not vary' : `${percent(encoder.share)} of its variance is seen here`;
    panels.push(html`<div>
<p><strong>${encoder.name}</strong>: ${share}</p>
${trusted(await renderSvg(projectionChart(projection, encoder, representations)))}
</div>`);
  }
  const colours = [...colouredClasses(representations).values()];
  const legend = colours.map(
    ({ name, colour }) =>
      html`<span><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" rx="5" fill="${colour}"/></svg>${name}</span>`,
  );
  const { images, classes, representation } = representations;
  const has = (name: string): boolean => projection.encoders.some((encoder) => encoder.name === name);
  const untrained = [
    ...(has(RANDOM_ENCODER_ROW) ? [` That of the ${RANDOM_ENCODER_ROW} is not trained.`] : []),
    ...(has(SELF_SUPERVISED_ROW)
      ? [` That of ${SELF_SUPERVISED_ROW} is trained for another loss, and need not come near.`]
      : []),
  ].join('');
  const [first, second] = projection.axes;
  const among =
    classes.length > colours.length && colours.length > 0
      ? ` of ${colours.length} of the ${classes.length} classes`
      : '';
  const hue =
    colours.length === 0
      ? 'The data has no labels, so that all have one colour.'
      : 'Colours are classes, which no encoder was told.';
  return section(
    heading,
    html`<p>A student’s output is trained to be the teacher’s representation, so that both lie in one space of ${representation} dimensions. The closer a panel is to the teacher’s, the better the set stands for all the images.${untrained} Linear probes read the features before that output.</p>
<figure>
<div class="panels">
${panels}
</div>
${legend.length === 0 ? NOTHING : html`<p class="legend">${legend}</p>`}
<figcaption>A point is one of ${images.length} held-out images${among}, the same in every panel, as the encoder of the first evaluation seed represents it. The axes are the first two principal components of the teacher’s representations, which hold ${percent(first)} and ${percent(second)} of its variance; every panel is moved by the teacher’s mean, turned by the same axes and drawn to one scale. ${hue} ${deviceNote}</figcaption>
</figure>`,
  );
}

/** Three grids in a row: before, after, and the difference. */
export async function pictureFigures(
  { before, after, difference, scale }: Pictures,
  deviceNote: string,
): Promise<Html> {
  const most =
    scale < 1
      ? `${wording.significant(100 * scale)}\u00a0% of the range from black to white`
      : `${wording.significant(scale)} times the range from black to white, beyond which learnt pixels may lie,`;
  const meaning =
    before.channels === 1
      ? `Red became brighter, blue darker; the strongest colour is a change by ${most} or more`
      : `In each colour channel grey is no change, lighter is brighter and darker is darker; the extremes are a change by ${most} or more`;
  return html`<div class="triple">
${[
  await pictureFigure(
    before,
    'A grid of the images that distillation started from.',
    `Before: the images that distillation started from. ${deviceNote}`,
  ),
  await pictureFigure(
    after,
    'A grid of the synthetic images that they became.',
    `After: the synthetic images. ${deviceNote}`,
  ),
  await pictureFigure(
    difference,
    'A grid of what distillation added to each pixel.',
    `After minus before. ${meaning}, which 1\u00a0% of all pixels reach. ${deviceNote}`,
  ),
]}
</div>`;
}

/** The synthetic set before, after and by difference. */
export async function imagesSection(pictures: Pictures | null, deviceNote: string): Promise<Html> {
  const heading = 'The synthetic images';
  if (pictures === null) {
    return section(
      heading,
      html`<p>The run’s folder does not say how its images were standardised: it is of an earlier version. Give its command again, and it will.</p>`,
    );
  }
  const { shown, count } = pictures;
  const which =
    shown < count ? `${shown} of the ${count} images, evenly spaced over the set` : `All ${count} images`;
  return section(
    heading,
    html`<p>${which}; each keeps its place in the three grids.</p>
${await pictureFigures(pictures, deviceNote)}`,
  );
}

/** What distillation did. */
export async function distillationSection(
  { trajectoryLoss, innerStep }: RunResult,
  { distil }: Pick<RunCurves, 'distil'>,
  deviceNote: string,
): Promise<Html> {
  const window = averagingWindow(distil.length);
  const summary = html`<p>The trajectory loss went from ${wording.significant(trajectoryLoss.first)} (mean of the first ${window} iterations) to ${wording.significant(trajectoryLoss.last)} (mean of the last ${window}), and the learned inner step α from ${wording.significant(innerStep.first)} to ${wording.significant(innerStep.last)}.</p>`;
  const lossCaption = `Trajectory loss of every iteration, and its moving mean (thick). At 1 the student is no nearer to the expert’s later parameters than when it started, at 0 it has reached them. ${deviceNote}`;
  const innerStepCaption = `The inner step α that is learned together with the images. ${deviceNote}`;
  return section(
    'Distillation',
    html`${summary}
<div class="pair">
${await chartFigure(lossChart(distil), lossCaption)}
${await chartFigure(innerStepChart(distil), innerStepCaption)}
</div>`,
  );
}

/** How the networks were trained that distillation rests on, and the baseline on the self-supervised loss. */
export async function trainingSection(curves: RunCurves, deviceNote: string): Promise<Html> {
  const { teacher, experts, selfSupervisedExperts, selfSupervised } = curves;
  const figures: Html[] = [];
  if (teacher.length > 0) {
    const caption = `The teacher: its self-supervised loss as it trained, and the moving mean (thick). ${deviceNote}`;
    figures.push(await chartFigure(teacherChart(teacher), caption));
  }
  if (experts.length > 0) {
    const caption = `The experts: mean squared error to the teacher’s representations over each epoch, its mean over all experts and its range. ${deviceNote}`;
    figures.push(await chartFigure(expertsChart(experts, 'Mean squared error'), caption));
  }
  if (selfSupervisedExperts.length > 0) {
    const caption = `The experts of the baseline that matches trajectories of the self-supervised loss: that loss over each epoch, its mean and its range. ${deviceNote}`;
    figures.push(await chartFigure(expertsChart(selfSupervisedExperts, 'Self-supervised loss'), caption));
  }
  if (selfSupervised.length > 0) {
    const caption = `The trajectory loss of that baseline at every iteration, and its moving mean (thick). ${deviceNote}`;
    figures.push(await chartFigure(lossChart(selfSupervised), caption));
  }
  if (figures.length === 0) return NOTHING;
  return section('Training before distillation', html`<div class="pair">\n${figures}\n</div>`);
}
