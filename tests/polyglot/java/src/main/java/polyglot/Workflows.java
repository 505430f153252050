package polyglot;

import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.ChildWorkflowFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancelExternalWorkflowException;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.UpdateValidatorMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInit;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

public final class Workflows {
  static final SearchAttributeKey<String> COLOUR = SearchAttributeKey.forKeyword("Colour");
  static final SearchAttributeKey<Long> WEIGHT = SearchAttributeKey.forLong("Weight");

  static final Class<?>[] ALL = {
    TakesImpl.class, WaitsImpl.class, BasketImpl.class, ChildImpl.class, ParentImpl.class, ChainImpl.class,
    CancelledImpl.class, MarkersImpl.class, AttributesImpl.class, AsynchronousImpl.class, SleeperImpl.class,
    RetriedImpl.class,
  };

  private static RetryOptions retry(int attempts) {
    return RetryOptions.newBuilder()
        .setInitialInterval(Duration.ofMillis(10))
        .setMaximumAttempts(attempts)
        .build();
  }

  private static Activities activities(int attempts) {
    return Workflow.newActivityStub(
        Activities.class,
        ActivityOptions.newBuilder()
            .setStartToCloseTimeout(Duration.ofSeconds(20))
            .setHeartbeatTimeout(Duration.ofSeconds(1))
            .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
            .setRetryOptions(retry(attempts))
            .build());
  }

  private static Throwable causeOf(Runnable block) {
    try {
      block.run();
    } catch (ActivityFailure | ChildWorkflowFailure failure) {
      return failure.getCause();
    }
    throw ApplicationFailure.newNonRetryableFailure("nothing was thrown", "Case");
  }

  @WorkflowInterface
  public interface Takes {
    @WorkflowMethod
    Map<String, Object> run();
  }

  public static final class TakesImpl implements Takes {
    @Override
    public Map<String, Object> run() {
      var third = activities(0).failTwice();
      var card = (ApplicationFailure) causeOf(() -> activities(0).reject());
      var timeout = (TimeoutFailure) causeOf(() -> activities(1).silent());
      return Map.of(
          "third", third,
          "type", card.getType(),
          "message", card.getOriginalMessage(),
          "detail", card.getDetails().get(Integer.class),
          "heartbeat_timeout", timeout.getTimeoutType() == TimeoutType.TIMEOUT_TYPE_HEARTBEAT);
    }
  }

  @WorkflowInterface
  public interface Waits {
    @WorkflowMethod
    String run();
  }

  public static final class WaitsImpl implements Waits {
    private Promise<Void> timer;

    @Override
    public String run() {
      Workflow.sleep(Duration.ofMillis(20));
      var scope = Workflow.newCancellationScope(() -> timer = Workflow.newTimer(Duration.ofHours(1)));
      scope.run();
      scope.cancel();
      try {
        timer.get();
        return "not cancelled";
      } catch (CanceledFailure cancelled) {
        return "fired and cancelled";
      }
    }
  }

  /** Takes items by signal and by update until it is told to close. */
  @WorkflowInterface
  public interface Basket {
    @WorkflowMethod
    List<String> run(List<String> items);

    @SignalMethod
    void add(String item);

    @SignalMethod
    void close();

    @QueryMethod
    int count(int extra);

    @UpdateMethod(name = "add")
    int addNow(String item);

    @UpdateValidatorMethod(updateName = "add")
    void hasName(String item);
  }

  public static final class BasketImpl implements Basket {
    private final List<String> items;
    private boolean closed;

    @WorkflowInit
    public BasketImpl(List<String> items) {
      this.items = new ArrayList<>(items);
    }

    @Override
    public List<String> run(List<String> ignored) {
      Workflow.await(() -> closed && Workflow.isEveryHandlerFinished());
      return items;
    }

    @Override
    public void add(String item) {
      items.add(item);
    }

    @Override
    public void close() {
      closed = true;
    }

    @Override
    public int count(int extra) {
      return items.size() + extra;
    }

    @Override
    public int addNow(String item) {
      items.add(activities(1).echo(item));
      return items.size();
    }

    @Override
    public void hasName(String item) {
      if (item.isEmpty()) {
        throw new IllegalArgumentException("an item has a name");
      }
    }
  }

  @WorkflowInterface
  public interface Child {
    @WorkflowMethod
    String run(String name);
  }

  public static final class ChildImpl implements Child {
    @Override
    public String run(String name) {
      if (name.equals("fails")) {
        throw ApplicationFailure.newFailure("the child fails", "ChildError");
      }
      if (name.equals("waits")) {
        Workflow.sleep(Duration.ofHours(1));
      }
      return "child " + name;
    }
  }

  @WorkflowInterface
  public interface Parent {
    @WorkflowMethod
    Map<String, Object> run();
  }

  public static final class ParentImpl implements Parent {
    private final String id = Workflow.getInfo().getWorkflowId();
    private Promise<String> waiting;

    private <T> T child(Class<T> type, String name) {
      var options = ChildWorkflowOptions.newBuilder().setWorkflowId(id + "-" + name).build();
      return Workflow.newChildWorkflowStub(type, options);
    }

    @Override
    public Map<String, Object> run() {
      var answer = child(Child.class, "good").run("good");
      var failure = (ApplicationFailure) causeOf(() -> child(Child.class, "fails").run("fails"));
      var waits = child(Child.class, "waits");
      CancellationScope scope =
          Workflow.newCancellationScope(
              () -> {
                waiting = Async.function(waits::run, "waits");
                Workflow.getWorkflowExecution(waits).get();
              });
      scope.run();
      scope.cancel();
      boolean cancelled = causeOf(waiting::get) instanceof CanceledFailure;
      var basket = child(Basket.class, "basket");
      var items = Async.function(basket::run, List.<String>of());
      Workflow.getWorkflowExecution(basket).get();
      Workflow.newExternalWorkflowStub(Basket.class, id + "-basket").add("from outside");
      basket.close();
      boolean unknown = false;
      try {
        Workflow.newUntypedExternalWorkflowStub("nobody").cancel();
      } catch (CancelExternalWorkflowException missing) {
        unknown = true;
      }
      return Map.of(
          "answer", answer, "failure", failure.getType(), "cancelled", cancelled, "items", items.get(), "unknown",
          unknown);
    }
  }

  @WorkflowInterface
  public interface Chain {
    @WorkflowMethod
    int run(int number);
  }

  public static final class ChainImpl implements Chain {
    @Override
    public int run(int number) {
      if (number < 3) {
        Workflow.continueAsNew(number + 1);
      }
      return number;
    }
  }

  /** What was done on the way out is told by a query. */
  @WorkflowInterface
  public interface Cancelled {
    @WorkflowMethod
    void run();

    @QueryMethod
    String left();
  }

  public static final class CancelledImpl implements Cancelled {
    private String text = "";

    @Override
    public void run() {
      try {
        activities(0).untilCancelled();
      } catch (ActivityFailure failure) {
        Workflow.newDetachedCancellationScope(() -> text = activities(1).echo("cleaned up")).run();
        throw failure;
      }
    }

    @Override
    public String left() {
      return text;
    }
  }

  @WorkflowInterface
  public interface Markers {
    @WorkflowMethod
    Map<String, Object> run();
  }

  public static final class MarkersImpl implements Markers {
    @Override
    public Map<String, Object> run() {
      int drawn = Workflow.sideEffect(Integer.class, () -> 42);
      int version = Workflow.getVersion("a change", Workflow.DEFAULT_VERSION, 2);
      var options =
          LocalActivityOptions.newBuilder()
              .setScheduleToCloseTimeout(Duration.ofSeconds(5))
              .setRetryOptions(retry(0))
              .build();
      int attempt = Workflow.newLocalActivityStub(Activities.class, options).localTwice();
      // After the local activity: before it, this SDK cannot replay the history, also not one of Temporal's server.
      int changed = 0;
      for (int number = 0; number < 3; number++) {
        int half = number / 2;
        changed = Workflow.mutableSideEffect("setting", Integer.class, (old, now) -> !old.equals(now), () -> half);
      }
      return Map.of("drawn", drawn, "changed", changed, "version", version, "attempt", attempt);
    }
  }

  @WorkflowInterface
  public interface Attributes {
    @WorkflowMethod
    long run();

    @SignalMethod(name = "go on")
    void goOn();
  }

  public static final class AttributesImpl implements Attributes {
    private boolean going;

    @Override
    public long run() {
      Workflow.upsertTypedSearchAttributes(COLOUR.valueSet("green"), WEIGHT.valueSet(12L));
      Map<String, Object> memo = new HashMap<>();
      memo.put("note", "changed");
      memo.put("first", null);
      Workflow.upsertMemo(memo);
      Workflow.await(() -> going);
      return Workflow.getTypedSearchAttributes().get(WEIGHT);
    }

    @Override
    public void goOn() {
      going = true;
    }
  }

  @WorkflowInterface
  public interface Asynchronous {
    @WorkflowMethod
    Map<String, String> run();
  }

  public static final class AsynchronousImpl implements Asynchronous {
    @Override
    public Map<String, String> run() {
      var patient =
          Workflow.newActivityStub(
              Activities.class, ActivityOptions.newBuilder().setStartToCloseTimeout(Duration.ofSeconds(20)).build());
      var token = Async.function(activities(1)::completedByToken);
      var id = Async.function(patient::completedById);
      return Map.of("token", token.get(), "id", id.get());
    }
  }

  @WorkflowInterface
  public interface Sleeper {
    @WorkflowMethod
    void run();
  }

  public static final class SleeperImpl implements Sleeper {
    @Override
    public void run() {
      Workflow.sleep(Duration.ofHours(1));
    }
  }

  @WorkflowInterface
  public interface Retried {
    @WorkflowMethod
    int run();
  }

  public static final class RetriedImpl implements Retried {
    @Override
    public int run() {
      int attempt = Workflow.getInfo().getAttempt();
      if (attempt < 3) {
        throw ApplicationFailure.newFailure("run " + attempt, "Again");
      }
      return attempt;
    }
  }
}
