import { CompleteAsyncError, Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

/** Values that somebody puts in and somebody else waits for. */
export class Channel<T> {
  private readonly values: T[] = [];
  private readonly waiting: ((value: T) => void)[] = [];

  put(value: T): void {
    const taker = this.waiting.shift();
    if (taker) taker(value);
    else this.values.push(value);
  }

  take(): Promise<T> {
    return this.values.length > 0
      ? Promise.resolve(this.values.shift()!)
      : new Promise((taken) => this.waiting.push(taken));
  }
}

export const tokens = new Channel<Uint8Array>();
export const began = new Channel<string>();

export async function failTwice(): Promise<{ number: number; heartbeat: number }> {
  const { attempt, heartbeatDetails } = Context.current().info;
  heartbeat(attempt);
  if (attempt < 3) throw new Error(`attempt ${attempt}`);
  return { number: attempt, heartbeat: heartbeatDetails };
}

export async function reject(): Promise<void> {
  throw ApplicationFailure.nonRetryable('no such card', 'CardError', 4711);
}

export async function silent(): Promise<void> {
  await Context.current().cancelled;
}

export async function untilCancelled(): Promise<void> {
  began.put(Context.current().info.workflowExecution!.workflowId);
  const beats = setInterval(() => heartbeat(), 50);
  try {
    await Context.current().cancelled;
  } finally {
    clearInterval(beats);
  }
}

export async function completedByToken(): Promise<string> {
  tokens.put(Context.current().info.taskToken);
  throw new CompleteAsyncError();
}

export async function completedById(): Promise<string> {
  began.put(Context.current().info.workflowExecution!.workflowId);
  throw new CompleteAsyncError();
}

export async function echo(text: string): Promise<string> {
  return text;
}

export async function localTwice(): Promise<number> {
  const { attempt } = Context.current().info;
  if (attempt < 2) throw new Error('once more');
  return attempt;
}
