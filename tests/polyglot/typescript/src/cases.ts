import {
  CancelledFailure,
  Client,
  Connection,
  QueryNotRegisteredError,
  ScheduleNotFoundError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { WorkflowStartOptions } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { began, tokens } from './activities';
import * as workflows from './workflows';

export const taskQueue = 'polyglot-typescript';
export const workflowsPath = require.resolve('./workflows');

export interface World {
  client: Client;
  connection: Connection;
  /** On the worker's connection, which an eager start needs. */
  native: Client;
}

const named = (workflowId: string) => ({ workflowId, taskQueue, workflowExecutionTimeout: '1m' }) as const;

async function thrown(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error) => error
  );
}

function started<T extends Workflow>(world: World, id: string, workflow: T, args: Parameters<T>) {
  return world.client.workflow.start(workflow, { ...named(id), args } as unknown as WorkflowStartOptions<T>);
}

async function answer<T extends Workflow>(world: World, id: string, workflow: T, ...args: Parameters<T>) {
  return (await started(world, id, workflow, args)).result();
}

async function messages(world: World) {
  const basket = await started(world, 'basket', workflows.basket, [['bread']]);
  await basket.signal(workflows.add, 'milk');
  const updated = await basket.executeUpdate(workflows.addNow, { args: ['eggs'] });
  const rejected = (await thrown(basket.executeUpdate(workflows.addNow, { args: [''] }))) as WorkflowUpdateFailedError;
  const open = await basket.query(workflows.count, 10);
  const unknown = (await thrown(basket.query('nothing'))) instanceof QueryNotRegisteredError;
  const stack = (await basket.query<string>('__stack_trace')).includes('basket');
  await basket.signal(workflows.close);
  const items = await basket.result();
  const closed = await basket.query(workflows.count, 20);
  return { updated, rejected: rejected.cause!.message, open, unknown, stack, items, closed };
}

async function cancel(world: World) {
  const handle = await started(world, 'cancelled', workflows.cancelled, []);
  await began.take();
  await handle.cancel();
  const error = (await thrown(handle.result())) as WorkflowFailedError;
  return error.cause instanceof CancelledFailure ? handle.query(workflows.left) : String(error);
}

async function attributes(world: World) {
  const handle = await world.client.workflow.start(workflows.attributes, {
    ...named('attributes'),
    memo: { first: 1, second: 2 },
    typedSearchAttributes: [{ key: workflows.colour, value: 'red' }],
  });
  await handle.query('__stack_trace');
  const { memo } = await handle.describe();
  const listed = [];
  for await (const one of world.client.workflow.list({ query: "Colour = 'green' AND Weight > 11" }))
    listed.push(one.workflowId);
  const red = (await world.client.workflow.count("Colour = 'red'")).count;
  await handle.signal(workflows.goOn);
  return { memo, listed, red, known: await handle.result() };
}

async function terminate(world: World) {
  const handle = await started(world, 'terminated', workflows.sleeper, []);
  await handle.terminate('no longer wanted');
  const error = (await thrown(handle.result())) as WorkflowFailedError;
  const again = await thrown(handle.terminate('twice'));
  return { terminated: error.cause!.name === 'TerminatedFailure', twice: !(again instanceof WorkflowNotFoundError) };
}

async function asynchronous(world: World) {
  const handle = await started(world, 'asynchronous', workflows.asynchronous, []);
  const token = await tokens.take();
  await world.client.activity.heartbeat(token, 'still here');
  await world.client.activity.complete(token, 'one');
  await began.take();
  const pending = (await handle.describe()).raw.pendingActivities!.find((one) => one.activityType!.name === 'completedById');
  await world.client.activity.complete({ workflowId: 'asynchronous', activityId: pending!.activityId! }, 'two');
  return await handle.result();
}

async function eager(world: World) {
  const handle = await world.native.workflow.start(workflows.waits, { ...named('eager'), requestEagerStart: true });
  await handle.result();
  const { events } = await handle.fetchHistory();
  return events![0].workflowExecutionStartedEventAttributes!.eagerExecutionAccepted;
}

async function withStart(world: World) {
  await world.client.workflow.signalWithStart(workflows.basket, {
    ...named('signalled'),
    args: [['first']],
    signal: workflows.add,
    signalArgs: ['by signal'],
  });
  const first = world.client.workflow.getHandle<typeof workflows.basket>('signalled');
  const signalled = await first.query(workflows.count, 0);
  const updated = [];
  for (let number = 0; number < 2; number++) {
    const startWorkflowOperation = new WithStartWorkflowOperation(workflows.basket, {
      ...named('updated'),
      args: [['first']],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    updated.push(
      await world.client.workflow.executeUpdateWithStart(workflows.addNow, {
        args: ['by update'],
        startWorkflowOperation,
      })
    );
  }
  await first.signal(workflows.close);
  await world.client.workflow.getHandle('updated').signal(workflows.close);
  return { signalled, updated, items: await first.result() };
}

async function conflict(world: World) {
  const first = await started(world, 'once', workflows.sleeper, []);
  const error = await thrown(started(world, 'once', workflows.sleeper, []));
  const third = await world.client.workflow.start(workflows.sleeper, {
    ...named('once'),
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  });
  const replaced = first.firstExecutionRunId !== third.firstExecutionRunId;
  await third.terminate('done');
  return { named: error instanceof WorkflowExecutionAlreadyStartedError, replaced };
}

async function retried(world: World) {
  const handle = await world.client.workflow.start(workflows.retried, {
    ...named('retried'),
    retry: { initialInterval: '10ms' },
  });
  return handle.result();
}

async function reset(world: World) {
  const { runId } = await world.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: 'basket' },
    reason: 'once more',
    requestId: 'reset-1',
    workflowTaskFinishEventId: 4 as never,
  });
  return world.client.workflow.getHandle('basket', runId).result();
}

async function delayed(world: World) {
  const begin = Date.now();
  const handle = await world.client.workflow.start(workflows.child, {
    ...named('delayed'),
    args: ['late'],
    startDelay: '300ms',
  });
  return { answer: await handle.result(), late: Date.now() - begin >= 300 };
}

/** Starts a workflow by a schedule that is paused, and steers the schedule. */
async function schedules(world: World) {
  const daily = await world.client.schedule.create({
    scheduleId: 'daily',
    spec: { intervals: [{ every: '24h' }] },
    action: {
      type: 'startWorkflow',
      workflowId: 'scheduled',
      workflowType: workflows.child,
      args: ['by schedule'],
      taskQueue,
    },
    state: { paused: true },
    memo: { who: 'bob' },
  });
  await daily.trigger();
  let described = await daily.describe();
  while (described.info.recentActions.length === 0) {
    await new Promise((passed) => setTimeout(passed, 50));
    described = await daily.describe();
  }
  const { paused } = described.state;
  const { workflow } = described.info.recentActions[0].action;
  const ran = await world.client.workflow.getHandle(workflow.workflowId).result();
  await daily.update((previous) => ({ ...previous, spec: { intervals: [{ every: '2h' }] } }));
  await daily.unpause('by hand');
  described = await daily.describe();
  const listed = [];
  for await (const one of world.client.schedule.list()) listed.push(one.scheduleId);
  await daily.delete();
  return {
    ran,
    paused,
    unpaused: !described.state.paused,
    note: described.state.note,
    every: described.spec.intervals![0].every / 1000,
    listed,
    deleted: (await thrown(daily.describe())) instanceof ScheduleNotFoundError,
  };
}

async function server(world: World) {
  await world.connection.healthService.check({});
  const queue = await world.client.workflowService.describeTaskQueue({
    namespace: 'default',
    taskQueue: { name: taskQueue },
    taskQueueType: 1,
  });
  const { namespaces } = await world.client.workflowService.listNamespaces({});
  return { pollers: queue.pollers.length > 0, namespaces: namespaces.map((one) => one.namespaceInfo!.name) };
}

/** Follows the history of every workflow of this program once more, with the replayer of the SDK. */
async function replay(world: World) {
  const ids = ['activities', 'waits', 'basket', 'parent', 'chain', 'cancelled', 'markers', 'attributes', 'asynchronous', 'eager'];
  ids.push('signalled', 'updated', 'retried');
  const histories = ids.map(async (workflowId) => ({
    workflowId,
    history: await world.client.workflow.getHandle(workflowId).fetchHistory(),
  }));
  let followed = 0;
  for await (const { error } of Worker.runReplayHistories({ workflowsPath }, await Promise.all(histories))) {
    if (error) throw error;
    followed++;
  }
  return followed;
}

export async function register(connection: NativeConnection): Promise<void> {
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: { Colour: 2, Weight: 3 },
  });
}

export const cases: Record<string, (world: World) => Promise<unknown>> = {
  activities: (world) => answer(world, 'activities', workflows.takes),
  waits: (world) => answer(world, 'waits', workflows.waits),
  messages,
  children: (world) => answer(world, 'parent', workflows.parent),
  chain: (world) => answer(world, 'chain', workflows.chain, 1),
  cancel,
  markers: (world) => answer(world, 'markers', workflows.markers),
  attributes,
  terminate,
  asynchronous,
  eager,
  with_start: withStart,
  conflict,
  retried,
  reset,
  delayed,
  schedules,
  server,
  replay,
};
