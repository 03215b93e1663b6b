/** Replays the workflow, offline: see `replay.ts` for what a replay compares. */
import assert from 'node:assert/strict';
import { DeterminismViolationError } from '@temporalio/workflow';
import { test } from 'vitest';
import { HistoryBuilder, replay } from './replay.js';
import { steps } from './sample.js';

/** The history up to this step. */
function begin(count: number): HistoryBuilder {
  const history = new HistoryBuilder();
  for (const { step } of steps.slice(0, count)) history.done(step);
  return history;
}

/** The compensations of these steps, last first. */
function undone(history: HistoryBuilder, toUndo: readonly (typeof steps)[number][]): HistoryBuilder {
  for (const { undo } of [...toUndo].reverse()) history.done(undo);
  return history;
}

test('the steps run in order', async () => {
  await replay(begin(steps.length).ends('Completed'));
});

for (const [index, { step, undo }] of steps.entries()) {
  const before = steps.slice(0, index);
  const begun = steps.slice(0, index + 1);

  test(`if ${step} fails, it and the steps before it are undone, last first`, async () => {
    await replay(undone(begin(index).fails(step), begun).ends('Failed'));
  });

  test(`if the workflow is cancelled during ${step}, the same is undone once the step has stopped`, async () => {
    await replay(undone(begin(index).cancelledDuring(step), begun).ends('Canceled'));
  });

  test(`a workflow that is cancelled during ${undo} continues to undo`, async () => {
    await replay(undone(begin(index).fails(step).doneAlthoughCancelled(undo), before).ends('Failed'));
  });

  // If one of these passes, the histories of this file prove nothing.
  test(`a history in which ${undo} is missing is refused`, async () => {
    await assert.rejects(replay(undone(begin(index).fails(step), before).ends('Failed')), DeterminismViolationError);
  });

  test(`a history in which ${undo} runs instead of ${step} is refused`, async () => {
    await assert.rejects(replay(begin(index).done(undo)), DeterminismViolationError);
  });
}
