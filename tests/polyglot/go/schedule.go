package main

import (
	"errors"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// schedules starts a workflow by a schedule that is paused, and steers the schedule.
func schedules(w world) (any, error) {
	daily, err := w.ScheduleClient().Create(w, client.ScheduleOptions{
		ID:     "daily",
		Spec:   client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: 24 * time.Hour}}},
		Paused: true,
		Memo:   map[string]any{"who": "bob"},
		Action: &client.ScheduleWorkflowAction{
			ID: "scheduled", Workflow: Child, Args: []any{"by schedule"}, TaskQueue: taskQueue,
		},
	})
	if err != nil {
		return nil, err
	}
	if err := daily.Trigger(w, client.ScheduleTriggerOptions{}); err != nil {
		return nil, err
	}
	described, err := daily.Describe(w)
	for err == nil && len(described.Info.RecentActions) == 0 {
		time.Sleep(50 * time.Millisecond)
		described, err = daily.Describe(w)
	}
	if err != nil {
		return nil, err
	}
	var ran string
	id := described.Info.RecentActions[0].StartWorkflowResult.WorkflowID
	if err := w.GetWorkflow(w, id, "").Get(w, &ran); err != nil {
		return nil, err
	}
	paused := described.Schedule.State.Paused
	err = daily.Update(w, client.ScheduleUpdateOptions{
		DoUpdate: func(input client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			input.Description.Schedule.Spec.Intervals[0].Every = 2 * time.Hour
			return &client.ScheduleUpdate{Schedule: &input.Description.Schedule}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	if err := daily.Unpause(w, client.ScheduleUnpauseOptions{Note: "by hand"}); err != nil {
		return nil, err
	}
	if described, err = daily.Describe(w); err != nil {
		return nil, err
	}
	pages, err := w.ScheduleClient().List(w, client.ScheduleListOptions{})
	if err != nil {
		return nil, err
	}
	listed := []string{}
	for pages.HasNext() {
		one, err := pages.Next()
		if err != nil {
			return nil, err
		}
		listed = append(listed, one.ID)
	}
	if err := daily.Delete(w); err != nil {
		return nil, err
	}
	_, err = daily.Describe(w)
	var missing *serviceerror.NotFound
	return map[string]any{
		"ran": ran, "paused": paused, "unpaused": !described.Schedule.State.Paused, "note": described.Schedule.State.Note,
		"every": described.Schedule.Spec.Intervals[0].Every.Seconds(), "listed": listed, "deleted": errors.As(err, &missing),
	}, nil
}

// standalone runs activities without a workflow.
func standalone(w world) (any, error) {
	options := client.StartActivityOptions{ID: "alone", TaskQueue: taskQueue, StartToCloseTimeout: 20 * time.Second}
	handle, err := w.ExecuteActivity(w, options, failTwice)
	if err != nil {
		return nil, err
	}
	var third Attempt
	if err := handle.Get(w, &third); err != nil {
		return nil, err
	}
	return third, nil
}
