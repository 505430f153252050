package polyglot;

import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.enums.v1.TaskQueueType;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.operatorservice.v1.AddSearchAttributesRequest;
import io.temporal.api.taskqueue.v1.TaskQueue;
import io.temporal.api.workflowservice.v1.DescribeTaskQueueRequest;
import io.temporal.api.workflowservice.v1.ListNamespacesRequest;
import io.temporal.api.workflowservice.v1.ResetWorkflowExecutionRequest;
import io.temporal.client.UpdateOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowQueryException;
import io.temporal.client.WorkflowStub;
import io.temporal.client.WorkflowUpdateException;
import io.temporal.client.WorkflowUpdateStage;
import io.temporal.client.schedules.Schedule;
import io.temporal.client.schedules.ScheduleActionExecutionStartWorkflow;
import io.temporal.client.schedules.ScheduleActionStartWorkflow;
import io.temporal.client.schedules.ScheduleClient;
import io.temporal.client.schedules.ScheduleException;
import io.temporal.client.schedules.ScheduleIntervalSpec;
import io.temporal.client.schedules.ScheduleOptions;
import io.temporal.client.schedules.ScheduleSpec;
import io.temporal.client.schedules.ScheduleState;
import io.temporal.client.schedules.ScheduleUpdate;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributes;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import io.temporal.testing.WorkflowReplayer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

final class Cases {
  static final String TASK_QUEUE = "polyglot-java";
  private static final String NAMESPACE = "default";

  private final WorkflowClient client;
  private final String address;

  Cases(WorkflowClient client, String address) {
    this.client = client;
    this.address = address;
  }

  Map<String, Callable<Object>> all() {
    Map<String, Callable<Object>> cases = new LinkedHashMap<>();
    cases.put("activities", () -> answer(Map.class, "activities", "Takes"));
    cases.put("waits", () -> answer(String.class, "waits", "Waits"));
    cases.put("messages", this::messages);
    cases.put("children", () -> answer(Map.class, "parent", "Parent"));
    cases.put("chain", () -> answer(Integer.class, "chain", "Chain", 1));
    cases.put("cancel", this::cancel);
    cases.put("markers", () -> answer(Map.class, "markers", "Markers"));
    cases.put("attributes", this::attributes);
    cases.put("terminate", this::terminate);
    cases.put("asynchronous", this::asynchronous);
    cases.put("eager", this::eager);
    cases.put("with_start", this::withStart);
    cases.put("conflict", this::conflict);
    cases.put("retried", this::retried);
    cases.put("reset", this::reset);
    cases.put("delayed", this::delayed);
    cases.put("schedules", this::schedules);
    cases.put("server", this::server);
    cases.put("replay", this::replay);
    return cases;
  }

  void register() {
    var target = OperatorServiceStubsOptions.newBuilder().setTarget(address).validateAndBuildWithDefaults();
    var operator = OperatorServiceStubs.newServiceStubs(target);
    operator
        .blockingStub()
        .addSearchAttributes(
            AddSearchAttributesRequest.newBuilder()
                .setNamespace(NAMESPACE)
                .putSearchAttributes("Colour", IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
                .putSearchAttributes("Weight", IndexedValueType.INDEXED_VALUE_TYPE_INT)
                .build());
    operator.shutdownNow();
  }

  private static WorkflowOptions.Builder named(String id) {
    return WorkflowOptions.newBuilder()
        .setWorkflowId(id)
        .setTaskQueue(TASK_QUEUE)
        .setWorkflowExecutionTimeout(Duration.ofMinutes(1));
  }

  private WorkflowStub stub(String id, String type) {
    return client.newUntypedWorkflowStub(type, named(id).build());
  }

  private <T> T answer(Class<T> result, String id, String type, Object... arguments) {
    var stub = stub(id, type);
    stub.start(arguments);
    return stub.getResult(result);
  }

  private static Exception thrown(Runnable block) {
    try {
      block.run();
    } catch (Exception error) {
      return error;
    }
    throw new IllegalStateException("nothing was thrown");
  }

  private Object messages() {
    var basket = stub("basket", "Basket");
    basket.start(List.of("bread"));
    basket.signal("add", "milk");
    int updated = basket.update("add", Integer.class, "eggs");
    var rejected = (WorkflowUpdateException) thrown(() -> basket.update("add", Integer.class, ""));
    int open = basket.query("count", Integer.class, 10);
    boolean unknown = thrown(() -> basket.query("nothing", Integer.class)) instanceof WorkflowQueryException;
    boolean stack = basket.query("__stack_trace", String.class).contains("Basket");
    basket.signal("close");
    var items = basket.getResult(List.class);
    int closed = basket.query("count", Integer.class, 20);
    return Map.of(
        "updated", updated,
        "rejected", ((ApplicationFailure) rejected.getCause()).getOriginalMessage(),
        "open", open,
        "unknown", unknown,
        "stack", stack,
        "items", items,
        "closed", closed);
  }

  private Object cancel() throws Exception {
    var stub = stub("cancelled", "Cancelled");
    stub.start();
    Activities.BEGAN.take();
    stub.cancel();
    var error = thrown(() -> stub.getResult(Void.class));
    return error.getCause() instanceof CanceledFailure ? stub.query("left", String.class) : error.toString();
  }

  private Object attributes() {
    var options =
        named("attributes")
            .setMemo(Map.of("first", 1, "second", 2))
            .setTypedSearchAttributes(SearchAttributes.newBuilder().set(Workflows.COLOUR, "red").build());
    var stub = client.newUntypedWorkflowStub("Attributes", options.build());
    stub.start();
    stub.query("__stack_trace", String.class);
    var description = stub.describe();
    Map<String, Object> memo = new LinkedHashMap<>();
    for (var key : List.of("first", "second", "note")) {
      var value = description.getMemo(key, Object.class);
      if (value != null) {
        memo.put(key, value);
      }
    }
    var listed =
        client
            .listExecutions("Colour = 'green' AND Weight > 11")
            .map(one -> one.getExecution().getWorkflowId())
            .toList();
    long red = client.countWorkflows("Colour = 'red'").getCount();
    stub.signal("go on");
    return Map.of("memo", memo, "listed", listed, "red", red, "known", stub.getResult(Long.class));
  }

  private Object terminate() {
    var stub = stub("terminated", "Sleeper");
    stub.start();
    stub.terminate("no longer wanted", "a detail");
    var error = thrown(() -> stub.getResult(Void.class));
    boolean twice = !(thrown(() -> stub.terminate("twice")) instanceof WorkflowNotFoundException);
    return Map.of("terminated", error.getCause() instanceof TerminatedFailure, "twice", twice);
  }

  private Object asynchronous() throws Exception {
    var stub = stub("asynchronous", "Asynchronous");
    stub.start();
    var completion = client.newActivityCompletionClient();
    var token = Activities.TOKENS.take();
    completion.heartbeat(token, "still here");
    completion.complete(token, "one");
    completion.complete("asynchronous", Optional.empty(), Activities.BEGAN.take(), "two");
    return stub.getResult(Map.class);
  }

  private Object eager() {
    var options = named("eager").setDisableEagerExecution(false);
    var stub = client.newUntypedWorkflowStub("Waits", options.build());
    stub.start();
    stub.getResult(String.class);
    var first = client.fetchHistory("eager").getEvents().get(0);
    return first.getWorkflowExecutionStartedEventAttributes().getEagerExecutionAccepted();
  }

  private Object withStart() throws Exception {
    var first = stub("signalled", "Basket");
    first.signalWithStart("add", new Object[] {"by signal"}, new Object[] {List.of("first")});
    int signalled = first.query("count", Integer.class, 0);
    List<Integer> updated = new ArrayList<>();
    var existing =
        named("updated").setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    for (int number = 0; number < 2; number++) {
      var update =
          UpdateOptions.newBuilder(Integer.class)
              .setUpdateName("add")
              .setWaitForStage(WorkflowUpdateStage.COMPLETED)
              .build();
      var stub = client.newUntypedWorkflowStub("Basket", existing.build());
      updated.add(stub.executeUpdateWithStart(update, new Object[] {"by update"}, new Object[] {List.of("first")}));
    }
    first.signal("close");
    client.newUntypedWorkflowStub("updated").signal("close");
    return Map.of("signalled", signalled, "updated", updated, "items", first.getResult(List.class));
  }

  private Object conflict() {
    var first = stub("once", "Sleeper").start();
    var error = (WorkflowExecutionAlreadyStarted) thrown(() -> stub("once", "Sleeper").start());
    var replacing =
        named("once")
            .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    var third = client.newUntypedWorkflowStub("Sleeper", replacing.build());
    boolean replaced = !third.start().getRunId().equals(first.getRunId());
    third.terminate("done");
    return Map.of("named", error.getExecution().getRunId().equals(first.getRunId()), "replaced", replaced);
  }

  private Object retried() {
    var retry = RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(10)).build();
    var stub = client.newUntypedWorkflowStub("Retried", named("retried").setRetryOptions(retry).build());
    stub.start();
    return stub.getResult(Integer.class);
  }

  private Object reset() {
    var answer =
        client
            .getWorkflowServiceStubs()
            .blockingStub()
            .resetWorkflowExecution(
                ResetWorkflowExecutionRequest.newBuilder()
                    .setNamespace(NAMESPACE)
                    .setWorkflowExecution(WorkflowExecution.newBuilder().setWorkflowId("basket"))
                    .setReason("once more")
                    .setRequestId("reset-1")
                    .setWorkflowTaskFinishEventId(4)
                    .build());
    return client.newUntypedWorkflowStub("basket", Optional.of(answer.getRunId()), Optional.empty()).getResult(List.class);
  }

  private Object delayed() {
    var delay = Duration.ofMillis(300);
    long begin = System.nanoTime();
    var stub = client.newUntypedWorkflowStub("Child", named("delayed").setStartDelay(delay).build());
    stub.start("late");
    var text = stub.getResult(String.class);
    return Map.of("answer", text, "late", System.nanoTime() - begin >= delay.toNanos());
  }

  /** Starts a workflow by a schedule that is paused, and steers the schedule. */
  private Object schedules() throws Exception {
    var client = ScheduleClient.newInstance(this.client.getWorkflowServiceStubs());
    var action =
        ScheduleActionStartWorkflow.newBuilder()
            .setWorkflowType("Child")
            .setArguments("by schedule")
            .setOptions(WorkflowOptions.newBuilder().setWorkflowId("scheduled").setTaskQueue(TASK_QUEUE).build())
            .build();
    var schedule =
        Schedule.newBuilder()
            .setAction(action)
            .setSpec(every(Duration.ofHours(24)))
            .setState(ScheduleState.newBuilder().setPaused(true).build())
            .build();
    var daily =
        client.createSchedule("daily", schedule, ScheduleOptions.newBuilder().setMemo(Map.of("who", "bob")).build());
    daily.trigger();
    var described = daily.describe();
    while (described.getInfo().getRecentActions().isEmpty()) {
      Thread.sleep(50);
      described = daily.describe();
    }
    boolean paused = described.getSchedule().getState().isPaused();
    var taken = (ScheduleActionExecutionStartWorkflow) described.getInfo().getRecentActions().get(0).getAction();
    var ran = this.client.newUntypedWorkflowStub(taken.getWorkflowId()).getResult(String.class);
    daily.update(
        input -> {
          var changed = Schedule.newBuilder(input.getDescription().getSchedule());
          return new ScheduleUpdate(changed.setSpec(every(Duration.ofHours(2))).build());
        });
    daily.unpause("by hand");
    described = daily.describe();
    var listed = client.listSchedules().map(one -> one.getScheduleId()).toList();
    daily.delete();
    boolean deleted = thrown(daily::describe) instanceof ScheduleException;
    var state = described.getSchedule().getState();
    return Map.of(
        "ran", ran,
        "paused", paused,
        "unpaused", !state.isPaused(),
        "note", state.getNote(),
        "every", described.getSchedule().getSpec().getIntervals().get(0).getEvery().toSeconds(),
        "listed", listed,
        "deleted", deleted);
  }

  private static ScheduleSpec every(Duration interval) {
    return ScheduleSpec.newBuilder().setIntervals(List.of(new ScheduleIntervalSpec(interval))).build();
  }

  private Object server() {
    var service = client.getWorkflowServiceStubs();
    service.healthCheck();
    var queue =
        service
            .blockingStub()
            .describeTaskQueue(
                DescribeTaskQueueRequest.newBuilder()
                    .setNamespace(NAMESPACE)
                    .setTaskQueue(TaskQueue.newBuilder().setName(TASK_QUEUE))
                    .setTaskQueueType(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
                    .build());
    var names =
        service.blockingStub().listNamespaces(ListNamespacesRequest.getDefaultInstance()).getNamespacesList().stream()
            .map(one -> one.getNamespaceInfo().getName())
            .toList();
    return Map.of("pollers", queue.getPollersCount() > 0, "namespaces", names);
  }

  /** Follows the history of every workflow of this program once more, with the replayer of the SDK. */
  private Object replay() throws Exception {
    var ids =
        List.of(
            "activities", "waits", "basket", "parent", "chain", "cancelled", "markers", "attributes", "asynchronous",
            "eager", "signalled", "updated", "retried");
    var first = Workflows.ALL[0];
    var rest = Arrays.copyOfRange(Workflows.ALL, 1, Workflows.ALL.length);
    for (var id : ids) {
      WorkflowReplayer.replayWorkflowExecution(client.fetchHistory(id), first, rest);
    }
    return ids.size();
  }
}
