package polyglot;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A worker and a client in one process, against the server whose address is the first argument. Prints one line of
 * JSON: what every case has answered, or {"error": ...} for a case that has failed.
 */
public final class Main {
  public static void main(String[] arguments) throws Exception {
    var target = WorkflowServiceStubsOptions.newBuilder().setTarget(arguments[0]).build();
    var service = WorkflowServiceStubs.newServiceStubs(target);
    var client = WorkflowClient.newInstance(service);
    var cases = new Cases(client, arguments[0]);
    cases.register();
    var factory = WorkerFactory.newInstance(client);
    var often = WorkerOptions.newBuilder().setMaxHeartbeatThrottleInterval(Duration.ofMillis(50)).build();
    var worker = factory.newWorker(Cases.TASK_QUEUE, often);
    worker.registerWorkflowImplementationTypes(Workflows.ALL);
    worker.registerActivitiesImplementations(new Activities.Implementation());
    factory.start();
    Map<String, Object> results = new LinkedHashMap<>();
    cases
        .all()
        .forEach(
            (name, play) -> {
              try {
                results.put(name, play.call());
              } catch (Exception error) {
                var trace = new StringWriter();
                error.printStackTrace(new PrintWriter(trace));
                results.put(name, Map.of("error", trace.toString()));
              }
            });
    factory.shutdownNow();
    service.shutdownNow();
    System.out.println(new ObjectMapper().writeValueAsString(results));
    System.exit(0);
  }
}
