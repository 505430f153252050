package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	taskQueue = "polyglot-go"
	none      = "none"
)

var (
	colour = temporal.NewSearchAttributeKeyKeyword("Colour")
	weight = temporal.NewSearchAttributeKeyInt64("Weight")
	tokens = make(chan []byte, 1)
	began  = make(chan string, 10)
)

// Attempt is what an activity that fails twice knows in its third attempt.
type Attempt struct {
	Number    int32 `json:"number"`
	Heartbeat int32 `json:"heartbeat"`
}

func failTwice(ctx context.Context) (Attempt, error) {
	number := activity.GetInfo(ctx).Attempt
	var heartbeat int32
	if activity.HasHeartbeatDetails(ctx) {
		if err := activity.GetHeartbeatDetails(ctx, &heartbeat); err != nil {
			return Attempt{}, err
		}
	}
	activity.RecordHeartbeat(ctx, number)
	if number < 3 {
		return Attempt{}, fmt.Errorf("attempt %d", number)
	}
	return Attempt{number, heartbeat}, nil
}

func reject(context.Context) error {
	return temporal.NewNonRetryableApplicationError("no such card", "CardError", nil, 4711)
}

func silent(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func untilCancelled(ctx context.Context) error {
	began <- activity.GetInfo(ctx).WorkflowExecution.ID
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
			activity.RecordHeartbeat(ctx)
		}
	}
}

func completedByToken(ctx context.Context) (string, error) {
	tokens <- activity.GetInfo(ctx).TaskToken
	return "", activity.ErrResultPending
}

func completedByID(ctx context.Context) (string, error) {
	began <- activity.GetInfo(ctx).WorkflowExecution.ID
	return "", activity.ErrResultPending
}

func echo(_ context.Context, text string) (string, error) { return text, nil }

func localTwice(ctx context.Context) (int32, error) {
	if number := activity.GetInfo(ctx).Attempt; number < 2 {
		return 0, errors.New("once more")
	} else {
		return number, nil
	}
}

func options(ctx workflow.Context, attempts int32) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second,
		HeartbeatTimeout:    time.Second,
		WaitForCancellation: true,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond, MaximumAttempts: attempts},
	})
}

func Activities(ctx workflow.Context) (map[string]any, error) {
	var third Attempt
	if err := workflow.ExecuteActivity(options(ctx, 0), failTwice).Get(ctx, &third); err != nil {
		return nil, err
	}
	var application *temporal.ApplicationError
	err := workflow.ExecuteActivity(options(ctx, 0), reject).Get(ctx, nil)
	if !errors.As(err, &application) {
		return nil, err
	}
	var detail int
	if err := application.Details(&detail); err != nil {
		return nil, err
	}
	var timeout *temporal.TimeoutError
	if err := workflow.ExecuteActivity(options(ctx, 1), silent).Get(ctx, nil); !errors.As(err, &timeout) {
		return nil, fmt.Errorf("no timeout: %w", err)
	}
	return map[string]any{
		"third": third, "type": application.Type(), "message": application.Message(), "detail": detail,
		"heartbeat_timeout": timeout.TimeoutType() == enums.TIMEOUT_TYPE_HEARTBEAT,
	}, nil
}

func Waits(ctx workflow.Context) (string, error) {
	short := workflow.NewTimer(ctx, 20*time.Millisecond)
	long, cancel := workflow.WithCancel(ctx)
	timer := workflow.NewTimer(long, time.Hour)
	if err := short.Get(ctx, nil); err != nil {
		return "", err
	}
	cancel()
	if err := timer.Get(ctx, nil); !temporal.IsCanceledError(err) {
		return "", fmt.Errorf("not cancelled: %w", err)
	}
	return "fired and cancelled", nil
}

// Basket takes items by signal and by update until it is told to close.
func Basket(ctx workflow.Context, items []string) ([]string, error) {
	closed := false
	err := workflow.SetQueryHandler(ctx, "count", func(extra int) (int, error) { return len(items) + extra, nil })
	if err != nil {
		return nil, err
	}
	err = workflow.SetUpdateHandlerWithOptions(ctx, "add", func(ctx workflow.Context, item string) (int, error) {
		var echoed string
		if err := workflow.ExecuteActivity(options(ctx, 1), echo, item).Get(ctx, &echoed); err != nil {
			return 0, err
		}
		items = append(items, echoed)
		return len(items), nil
	}, workflow.UpdateHandlerOptions{Validator: func(item string) error {
		if item == "" {
			return errors.New("an item has a name")
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var item string
			workflow.GetSignalChannel(ctx, "add").Receive(ctx, &item)
			items = append(items, item)
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		workflow.GetSignalChannel(ctx, "close").Receive(ctx, nil)
		closed = true
	})
	err = workflow.Await(ctx, func() bool { return closed && workflow.AllHandlersFinished(ctx) })
	return items, err
}

func Child(ctx workflow.Context, name string) (string, error) {
	if name == "fails" {
		return "", temporal.NewApplicationError("the child fails", "ChildError")
	}
	if name == "waits" {
		return name, workflow.Sleep(ctx, time.Hour)
	}
	return "child " + name, nil
}

func Parent(ctx workflow.Context) (map[string]any, error) {
	id := workflow.GetInfo(ctx).WorkflowExecution.ID
	named := func(name string) workflow.Context {
		return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID: id + "-" + name, WaitForCancellation: true,
		})
	}
	var answer string
	if err := workflow.ExecuteChildWorkflow(named("good"), Child, "good").Get(ctx, &answer); err != nil {
		return nil, err
	}
	var application *temporal.ApplicationError
	err := workflow.ExecuteChildWorkflow(named("fails"), Child, "fails").Get(ctx, nil)
	if !errors.As(err, &application) {
		return nil, err
	}
	cancelled, cancel := workflow.WithCancel(named("waits"))
	waiting := workflow.ExecuteChildWorkflow(cancelled, Child, "waits")
	if err := waiting.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return nil, err
	}
	cancel()
	child := waiting.Get(ctx, nil)
	signalled := workflow.ExecuteChildWorkflow(named("basket"), Basket, []string{})
	if err := signalled.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return nil, err
	}
	if err := workflow.SignalExternalWorkflow(ctx, id+"-basket", "", "add", "from outside").Get(ctx, nil); err != nil {
		return nil, err
	}
	if err := signalled.SignalChildWorkflow(ctx, "close", nil).Get(ctx, nil); err != nil {
		return nil, err
	}
	var items []string
	if err := signalled.Get(ctx, &items); err != nil {
		return nil, err
	}
	unknown := workflow.RequestCancelExternalWorkflow(ctx, "nobody", "").Get(ctx, nil)
	return map[string]any{
		"answer": answer, "failure": application.Type(), "cancelled": temporal.IsCanceledError(child), "items": items,
		"unknown": unknown != nil,
	}, nil
}

func Chain(ctx workflow.Context, number int) (int, error) {
	if number < 3 {
		return 0, workflow.NewContinueAsNewError(ctx, Chain, number+1)
	}
	return number, nil
}

func Cancelled(ctx workflow.Context) (string, error) {
	err := workflow.ExecuteActivity(options(ctx, 0), untilCancelled).Get(ctx, nil)
	if !temporal.IsCanceledError(err) {
		return "", fmt.Errorf("not cancelled: %w", err)
	}
	apart, _ := workflow.NewDisconnectedContext(ctx)
	var text string
	if err := workflow.ExecuteActivity(options(apart, 1), echo, "cleaned up").Get(apart, &text); err != nil {
		return "", err
	}
	return "", temporal.NewCanceledError(text)
}

func Markers(ctx workflow.Context) (map[string]any, error) {
	var drawn, changed int
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return 42 }).Get(&drawn); err != nil {
		return nil, err
	}
	for number := range 3 {
		same := func(a, b any) bool { return a == b }
		value := workflow.MutableSideEffect(ctx, "setting", func(workflow.Context) any { return number / 2 }, same)
		if err := value.Get(&changed); err != nil {
			return nil, err
		}
	}
	version := workflow.GetVersion(ctx, "a change", workflow.DefaultVersion, 2)
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: 5 * time.Second,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Millisecond},
	})
	var attempt int32
	if err := workflow.ExecuteLocalActivity(local, localTwice).Get(ctx, &attempt); err != nil {
		return nil, err
	}
	return map[string]any{"drawn": drawn, "changed": changed, "version": version, "attempt": attempt}, nil
}

func Attributes(ctx workflow.Context) (int64, error) {
	heavy := weight.ValueSet(12)
	if err := workflow.UpsertTypedSearchAttributes(ctx, colour.ValueSet("green"), heavy); err != nil {
		return 0, err
	}
	if err := workflow.UpsertMemo(ctx, map[string]any{"note": "changed", "first": nil}); err != nil {
		return 0, err
	}
	workflow.GetSignalChannel(ctx, "go on").Receive(ctx, nil)
	known, _ := workflow.GetTypedSearchAttributes(ctx).GetInt64(weight)
	return known, nil
}

func Asynchronous(ctx workflow.Context) (map[string]string, error) {
	patient := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 20 * time.Second, ActivityID: "by-id",
	})
	token := workflow.ExecuteActivity(options(ctx, 1), completedByToken)
	id := workflow.ExecuteActivity(patient, completedByID)
	var first, second string
	if err := token.Get(ctx, &first); err != nil {
		return nil, err
	}
	if err := id.Get(ctx, &second); err != nil {
		return nil, err
	}
	return map[string]string{"token": first, "id": second}, nil
}

func Sleeper(ctx workflow.Context) error { return workflow.Sleep(ctx, time.Hour) }

func Retried(ctx workflow.Context) (int32, error) {
	if number := workflow.GetInfo(ctx).Attempt; number < 3 {
		return 0, fmt.Errorf("run %d", number)
	} else {
		return number, nil
	}
}

func Session(ctx workflow.Context) (string, error) {
	together, err := workflow.CreateSession(options(ctx, 1), &workflow.SessionOptions{
		CreationTimeout: 10 * time.Second, ExecutionTimeout: 20 * time.Second,
	})
	if err != nil {
		return "", err
	}
	defer workflow.CompleteSession(together)
	var text string
	err = workflow.ExecuteActivity(together, echo, "on one host").Get(together, &text)
	return text, err
}
