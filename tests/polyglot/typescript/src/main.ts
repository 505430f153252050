// A worker and a client in one process, against the server whose address is the first argument.
// Prints one line of JSON: what every case has answered, or {"error": ...} for a case that has failed.
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { cases, register, taskQueue, workflowsPath } from './cases';

async function run(address: string): Promise<Record<string, unknown>> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const native = await NativeConnection.connect({ address });
  const connection = await Connection.connect({ address });
  const world = { client: new Client({ connection }), connection, native: new Client({ connection: native }) };
  await register(native);
  const { failTwice, reject, silent, untilCancelled, completedByToken, completedById, echo, localTwice } = activities;
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowsPath,
    activities: { failTwice, reject, silent, untilCancelled, completedByToken, completedById, echo, localTwice },
    maxHeartbeatThrottleInterval: '50ms',
  });
  const results: Record<string, unknown> = {};
  await worker.runUntil(async () => {
    for (const [name, play] of Object.entries(cases)) {
      results[name] = await play(world).catch((error) => ({ error: String(error?.stack ?? error) }));
    }
  });
  await connection.close();
  await native.close();
  return results;
}

run(process.argv[2]).then(
  (results) => console.log(JSON.stringify(results)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  }
);
