package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

var workflows = []any{
	Activities, Waits, Basket, Child, Parent, Chain, Cancelled, Markers, Attributes, Asynchronous, Sleeper, Retried, Session,
}

func named(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: id, TaskQueue: taskQueue, WorkflowExecutionTimeout: time.Minute}
}

func register(w world) error {
	_, err := w.OperatorService().AddSearchAttributes(w, &operatorservice.AddSearchAttributesRequest{
		Namespace: "default",
		SearchAttributes: map[string]enums.IndexedValueType{
			"Colour": enums.INDEXED_VALUE_TYPE_KEYWORD, "Weight": enums.INDEXED_VALUE_TYPE_INT,
		},
	})
	return err
}

// answer runs a workflow to its end.
func answer[T any](w world, id string, workflow any, args ...any) (result T, err error) {
	started, err := w.ExecuteWorkflow(w, named(id), workflow, args...)
	if err == nil {
		err = started.Get(w, &result)
	}
	return result, err
}

func activities(w world) (any, error) { return answer[map[string]any](w, "activities", Activities) }
func waits(w world) (any, error)      { return answer[string](w, "waits", Waits) }
func children(w world) (any, error)   { return answer[map[string]any](w, "parent", Parent) }
func chain(w world) (any, error)      { return answer[int](w, "chain", Chain, 1) }
func markers(w world) (any, error)    { return answer[map[string]any](w, "markers", Markers) }
func session(w world) (any, error)    { return answer[string](w, "session", Session) }

func query[T any](w world, id string, kind string, args ...any) (result T, err error) {
	value, err := w.QueryWorkflow(w, id, "", kind, args...)
	if err == nil {
		err = value.Get(&result)
	}
	return result, err
}

func update(w world, id string, item string) (count int, err error) {
	handle, err := w.UpdateWorkflow(w, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: "add", Args: []any{item}, WaitForStage: client.WorkflowUpdateStageAccepted,
	})
	if err == nil {
		err = handle.Get(w, &count)
	}
	return count, err
}

func messages(w world) (any, error) {
	basket, err := w.ExecuteWorkflow(w, named("basket"), Basket, []string{"bread"})
	if err != nil {
		return nil, err
	}
	if err := w.SignalWorkflow(w, "basket", "", "add", "milk"); err != nil {
		return nil, err
	}
	updated, err := update(w, "basket", "eggs")
	if err != nil {
		return nil, err
	}
	_, rejected := update(w, "basket", "")
	if rejected == nil {
		return nil, errors.New("the update was not rejected")
	}
	open, err := query[int](w, "basket", "count", 10)
	if err != nil {
		return nil, err
	}
	_, unknown := query[int](w, "basket", "nothing")
	stack, err := query[string](w, "basket", "__stack_trace")
	if err != nil {
		return nil, err
	}
	if err := w.SignalWorkflow(w, "basket", "", "close", nil); err != nil {
		return nil, err
	}
	var items []string
	if err := basket.Get(w, &items); err != nil {
		return nil, err
	}
	closed, err := query[int](w, "basket", "count", 20)
	var failed *serviceerror.QueryFailed
	return map[string]any{
		"updated": updated, "rejected": rejected.Error(), "open": open, "unknown": errors.As(unknown, &failed),
		"stack": strings.Contains(stack, "Basket"), "items": items, "closed": closed,
	}, err
}

func cancel(w world) (any, error) {
	started, err := w.ExecuteWorkflow(w, named("cancelled"), Cancelled)
	if err != nil {
		return nil, err
	}
	<-began
	if err := w.CancelWorkflow(w, "cancelled", ""); err != nil {
		return nil, err
	}
	var cancelled *temporal.CanceledError
	if err := started.Get(w, nil); !errors.As(err, &cancelled) {
		return nil, fmt.Errorf("not cancelled: %w", err)
	}
	var detail string
	err = cancelled.Details(&detail)
	return detail, err
}

func attributes(w world) (any, error) {
	options := named("attributes")
	options.Memo = map[string]any{"first": 1, "second": 2}
	options.TypedSearchAttributes = temporal.NewSearchAttributes(colour.ValueSet("red"))
	started, err := w.ExecuteWorkflow(w, options, Attributes)
	if err != nil {
		return nil, err
	}
	if _, err := query[string](w, "attributes", "__stack_trace"); err != nil {
		return nil, err
	}
	description, err := w.DescribeWorkflowExecution(w, "attributes", "")
	if err != nil {
		return nil, err
	}
	memo := map[string]any{}
	for key, payload := range description.WorkflowExecutionInfo.Memo.Fields {
		var value any
		if err := converter.GetDefaultDataConverter().FromPayload(payload, &value); err != nil {
			return nil, err
		}
		memo[key] = value
	}
	list, err := w.ListWorkflow(w, &workflowservice.ListWorkflowExecutionsRequest{Query: "Colour = 'green' AND Weight > 11"})
	if err != nil {
		return nil, err
	}
	count, err := w.CountWorkflow(w, &workflowservice.CountWorkflowExecutionsRequest{Query: "Colour = 'red'"})
	if err != nil {
		return nil, err
	}
	if err := w.SignalWorkflow(w, "attributes", "", "go on", nil); err != nil {
		return nil, err
	}
	var known int
	if err := started.Get(w, &known); err != nil {
		return nil, err
	}
	var ids []string
	for _, execution := range list.Executions {
		ids = append(ids, execution.Execution.WorkflowId)
	}
	return map[string]any{"memo": memo, "listed": ids, "red": count.Count, "known": known}, nil
}

func terminate(w world) (any, error) {
	started, err := w.ExecuteWorkflow(w, named("terminated"), Sleeper)
	if err != nil {
		return nil, err
	}
	if err := w.TerminateWorkflow(w, "terminated", "", "no longer wanted", "a detail"); err != nil {
		return nil, err
	}
	var terminated *temporal.TerminatedError
	err = started.Get(w, nil)
	again := w.TerminateWorkflow(w, "terminated", "", "twice")
	var missing *serviceerror.NotFound
	return map[string]bool{"terminated": errors.As(err, &terminated), "twice": !errors.As(again, &missing)}, nil
}

func asynchronous(w world) (any, error) {
	started, err := w.ExecuteWorkflow(w, named("asynchronous"), Asynchronous)
	if err != nil {
		return nil, err
	}
	token := <-tokens
	if err := w.RecordActivityHeartbeat(w, token, "still here"); err != nil {
		return nil, err
	}
	if err := w.CompleteActivity(w, token, "one", nil); err != nil {
		return nil, err
	}
	<-began
	if err := w.CompleteActivityByID(w, "default", "asynchronous", "", "by-id", "two", nil); err != nil {
		return nil, err
	}
	var result map[string]string
	err = started.Get(w, &result)
	return result, err
}

func execution(id string) *common.WorkflowExecution { return &common.WorkflowExecution{WorkflowId: id} }

func firstEvent(w world, id string) (*history.HistoryEvent, error) {
	return w.GetWorkflowHistory(w, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
}

func eager(w world) (any, error) {
	options := named("eager")
	options.EnableEagerStart = true
	started, err := w.ExecuteWorkflow(w, options, Waits)
	if err != nil {
		return nil, err
	}
	var result string
	if err := started.Get(w, &result); err != nil {
		return nil, err
	}
	first, err := firstEvent(w, "eager")
	if err != nil {
		return nil, err
	}
	return first.GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted(), nil
}

func withStart(w world) (any, error) {
	_, err := w.SignalWithStartWorkflow(w, "signalled", "add", "by signal", named("signalled"), Basket, []string{"first"})
	if err != nil {
		return nil, err
	}
	signalled, err := query[int](w, "signalled", "count", 0)
	if err != nil {
		return nil, err
	}
	options := named("updated")
	options.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	var counts []int
	for range 2 {
		start := w.NewWithStartWorkflowOperation(options, Basket, []string{"first"})
		handle, err := w.UpdateWithStartWorkflow(w, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: start,
			UpdateOptions: client.UpdateWorkflowOptions{
				UpdateName: "add", Args: []any{"by update"}, WaitForStage: client.WorkflowUpdateStageCompleted,
			},
		})
		if err != nil {
			return nil, err
		}
		var count int
		if err := handle.Get(w, &count); err != nil {
			return nil, err
		}
		counts = append(counts, count)
	}
	for _, id := range []string{"signalled", "updated"} {
		if err := w.SignalWorkflow(w, id, "", "close", nil); err != nil {
			return nil, err
		}
	}
	var items []string
	err = w.GetWorkflow(w, "signalled", "").Get(w, &items)
	return map[string]any{"signalled": signalled, "updated": counts, "items": items}, err
}

func conflict(w world) (any, error) {
	options := named("once")
	options.WorkflowExecutionErrorWhenAlreadyStarted = true
	first, err := w.ExecuteWorkflow(w, options, Sleeper)
	if err != nil {
		return nil, err
	}
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	_, second := w.ExecuteWorkflow(w, options, Sleeper)
	named := errors.As(second, &started) && started.RunId == first.GetRunID()
	options.WorkflowIDConflictPolicy = enums.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	third, err := w.ExecuteWorkflow(w, options, Sleeper)
	if err != nil {
		return nil, err
	}
	another := third.GetRunID() != first.GetRunID()
	return map[string]bool{"named": named, "replaced": another}, w.TerminateWorkflow(w, "once", "", "done")
}

func retried(w world) (any, error) {
	options := named("retried")
	options.RetryPolicy = &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond}
	started, err := w.ExecuteWorkflow(w, options, Retried)
	if err != nil {
		return nil, err
	}
	var number int
	err = started.Get(w, &number)
	return number, err
}

func reset(w world) (any, error) {
	answer, err := w.ResetWorkflowExecution(w, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: execution("basket"), Reason: "once more", RequestId: "reset-1",
		WorkflowTaskFinishEventId: 4,
	})
	if err != nil {
		return nil, err
	}
	var items []string
	err = w.GetWorkflow(w, "basket", answer.RunId).Get(w, &items)
	return items, err
}

func delayed(w world) (any, error) {
	options := named("delayed")
	options.StartDelay = 300 * time.Millisecond
	begin := time.Now()
	started, err := w.ExecuteWorkflow(w, options, Child, "late")
	if err != nil {
		return nil, err
	}
	var text string
	err = started.Get(w, &text)
	return map[string]any{"answer": text, "late": time.Since(begin) >= options.StartDelay}, err
}

func server(w world) (any, error) {
	if _, err := w.CheckHealth(w, &client.CheckHealthRequest{}); err != nil {
		return nil, err
	}
	queue, err := w.DescribeTaskQueue(w, taskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return nil, err
	}
	namespaces, err := w.WorkflowService().ListNamespaces(w, &workflowservice.ListNamespacesRequest{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, one := range namespaces.Namespaces {
		names = append(names, one.NamespaceInfo.Name)
	}
	return map[string]any{"pollers": len(queue.Pollers) > 0, "namespaces": names}, nil
}

// replay follows the history of every workflow of this program once more, with the replayer of the SDK.
func replay(w world) (any, error) {
	replayer := worker.NewWorkflowReplayer()
	for _, one := range workflows {
		replayer.RegisterWorkflow(one)
	}
	quiet := log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	ids := []string{
		"activities", "waits", "basket", "parent", "chain", "cancelled", "markers", "attributes", "asynchronous", "eager",
		"signalled", "updated", "retried", "session",
	}
	for _, id := range ids {
		var events history.History
		pages := w.GetWorkflowHistory(w, id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for pages.HasNext() {
			event, err := pages.Next()
			if err != nil {
				return nil, err
			}
			events.Events = append(events.Events, event)
		}
		same := worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}}
		if err := replayer.ReplayWorkflowHistoryWithOptions(quiet, &events, same); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return len(ids), nil
}
