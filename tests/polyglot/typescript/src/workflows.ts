import * as wf from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type * as activities from './activities';

export const colour = defineSearchAttributeKey('Colour', 'KEYWORD');
export const weight = defineSearchAttributeKey('Weight', 'INT');

function acts(maximumAttempts?: number) {
  return wf.proxyActivities<typeof activities>({
    startToCloseTimeout: '20s',
    heartbeatTimeout: '1s',
    cancellationType: wf.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '10ms', maximumAttempts },
  });
}

/** What the block throws. */
async function thrown(block: () => Promise<unknown>): Promise<unknown> {
  try {
    await block();
  } catch (error) {
    return error;
  }
  throw wf.ApplicationFailure.nonRetryable('nothing was thrown');
}

const cause = (error: unknown) => (error as { cause?: unknown }).cause;

export async function takes(): Promise<unknown> {
  const third = await acts().failTwice();
  const card = cause(await thrown(() => acts().reject())) as wf.ApplicationFailure;
  const timeout = cause(await thrown(() => acts(1).silent())) as wf.TimeoutFailure;
  return {
    third,
    type: card.type,
    message: card.message,
    detail: card.details![0],
    heartbeat_timeout: timeout.timeoutType === 'HEARTBEAT',
  };
}

export async function waits(): Promise<string> {
  await wf.sleep('20ms');
  const scope = new wf.CancellationScope();
  const long = scope.run(() => wf.sleep('1h'));
  scope.cancel();
  const error = await thrown(() => long);
  return wf.isCancellation(error) ? 'fired and cancelled' : `not cancelled: ${error}`;
}

export const add = wf.defineSignal<[string]>('add');
export const close = wf.defineSignal('close');
export const goOn = wf.defineSignal('go on');
export const count = wf.defineQuery<number, [number]>('count');
export const addNow = wf.defineUpdate<number, [string]>('add');

/** Takes items by signal and by update until it is told to close. */
export async function basket(items: string[]): Promise<string[]> {
  let closed = false;
  wf.setHandler(count, (extra) => items.length + extra);
  wf.setHandler(add, (item) => void items.push(item));
  wf.setHandler(close, () => void (closed = true));
  wf.setHandler(addNow, async (item) => items.push(await acts(1).echo(item)), {
    validator: (item) => {
      if (item === '') throw new Error('an item has a name');
    },
  });
  await wf.condition(() => closed && wf.allHandlersFinished());
  return items;
}

export async function child(name: string): Promise<string> {
  if (name === 'fails') throw wf.ApplicationFailure.create({ message: 'the child fails', type: 'ChildError' });
  if (name === 'waits') await wf.sleep('1h');
  return `child ${name}`;
}

export async function parent(): Promise<unknown> {
  const id = wf.workflowInfo().workflowId;
  const named = (name: string) => ({ workflowId: `${id}-${name}`, args: [name] as [string] });
  const answer = await wf.executeChild(child, named('good'));
  const failure = cause(await thrown(() => wf.executeChild(child, named('fails')))) as wf.ApplicationFailure;
  const scope = new wf.CancellationScope();
  const waiting = await scope.run(() => wf.startChild(child, named('waits')));
  scope.cancel();
  const cancelled = wf.isCancellation(await thrown(() => waiting.result()));
  const signalled = await wf.startChild(basket, { workflowId: `${id}-basket`, args: [[]] });
  await wf.getExternalWorkflowHandle(`${id}-basket`).signal(add, 'from outside');
  await signalled.signal(close);
  const items = await signalled.result();
  const unknown = await thrown(() => wf.getExternalWorkflowHandle('nobody').cancel());
  return { answer, failure: failure.type, cancelled, items, unknown: unknown instanceof Error };
}

export async function chain(number: number): Promise<number> {
  if (number < 3) return await wf.continueAsNew<typeof chain>(number + 1);
  return number;
}

export const left = wf.defineQuery<string>('left');

/** Its cancellation carries no details, as this SDK sends none: what was done is told by a query. */
export async function cancelled(): Promise<void> {
  let text = '';
  wf.setHandler(left, () => text);
  const error = await thrown(() => acts().untilCancelled());
  text = await wf.CancellationScope.nonCancellable(() => acts(1).echo('cleaned up'));
  throw error;
}

export async function markers(): Promise<unknown> {
  const patched = wf.patched('a change');
  const { localTwice } = wf.proxyLocalActivities<typeof activities>({
    scheduleToCloseTimeout: '5s',
    retry: { initialInterval: '1ms' },
  });
  wf.deprecatePatch('an old change');
  return { patched, attempt: await localTwice() };
}

export async function attributes(): Promise<number> {
  let going = false;
  wf.setHandler(goOn, () => void (going = true));
  wf.upsertSearchAttributes([
    { key: colour, value: 'green' },
    { key: weight, value: 12 },
  ]);
  wf.upsertMemo({ note: 'changed', first: null });
  await wf.condition(() => going);
  return wf.workflowInfo().typedSearchAttributes.get(weight)!;
}

export async function asynchronous(): Promise<unknown> {
  const { completedById } = wf.proxyActivities<typeof activities>({ startToCloseTimeout: '20s' });
  const [token, id] = await Promise.all([acts(1).completedByToken(), completedById()]);
  return { token, id };
}

export async function sleeper(): Promise<void> {
  await wf.sleep('1h');
}

export async function retried(): Promise<number> {
  const { attempt } = wf.workflowInfo();
  if (attempt < 3) throw wf.ApplicationFailure.create({ message: `run ${attempt}` });
  return attempt;
}
