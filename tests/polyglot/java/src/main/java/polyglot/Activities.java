package polyglot;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityInterface;
import io.temporal.client.ActivityCompletionException;
import io.temporal.failure.ApplicationFailure;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

@ActivityInterface
public interface Activities {
  Map<String, Integer> failTwice();

  void reject();

  void silent();

  void untilCancelled();

  String completedByToken();

  String completedById();

  String echo(String text);

  int localTwice();

  BlockingQueue<byte[]> TOKENS = new LinkedBlockingQueue<>();
  BlockingQueue<String> BEGAN = new LinkedBlockingQueue<>();

  final class Implementation implements Activities {
    @Override
    public Map<String, Integer> failTwice() {
      var context = Activity.getExecutionContext();
      int number = context.getInfo().getAttempt();
      int heartbeat = context.getHeartbeatDetails(Integer.class).orElse(0);
      context.heartbeat(number);
      if (number < 3) {
        throw new IllegalStateException("attempt " + number);
      }
      return Map.of("number", number, "heartbeat", heartbeat);
    }

    @Override
    public void reject() {
      throw ApplicationFailure.newNonRetryableFailure("no such card", "CardError", 4711);
    }

    @Override
    public void silent() {
      pause(1500);
    }

    @Override
    public void untilCancelled() {
      var context = Activity.getExecutionContext();
      BEGAN.add(context.getInfo().getWorkflowId());
      try {
        while (true) {
          context.heartbeat(null);
          pause(50);
        }
      } catch (ActivityCompletionException cancelled) {
        throw cancelled;
      }
    }

    @Override
    public String completedByToken() {
      var context = Activity.getExecutionContext();
      context.doNotCompleteOnReturn();
      TOKENS.add(context.getTaskToken());
      return "";
    }

    @Override
    public String completedById() {
      var context = Activity.getExecutionContext();
      context.doNotCompleteOnReturn();
      BEGAN.add(context.getInfo().getActivityId());
      return "";
    }

    @Override
    public String echo(String text) {
      return text;
    }

    @Override
    public int localTwice() {
      int number = Activity.getExecutionContext().getInfo().getAttempt();
      if (number < 2) {
        throw new IllegalStateException("once more");
      }
      return number;
    }

    private static void pause(long milliseconds) {
      try {
        Thread.sleep(milliseconds);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(interrupted);
      }
    }
  }
}
