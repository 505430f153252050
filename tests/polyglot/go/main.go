// A worker and a client in one process, against the server whose address is the first argument.
// Prints one line of JSON: what every case has answered, or {"error": ...} for a case that has failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
)

type world struct {
	client.Client
	context.Context
}

var cases = []struct {
	name string
	run  func(world) (any, error)
}{
	{"activities", activities},
	{"waits", waits},
	{"messages", messages},
	{"children", children},
	{"chain", chain},
	{"cancel", cancel},
	{"markers", markers},
	{"attributes", attributes},
	{"terminate", terminate},
	{"asynchronous", asynchronous},
	{"eager", eager},
	{"with_start", withStart},
	{"conflict", conflict},
	{"retried", retried},
	{"reset", reset},
	{"delayed", delayed},
	{"session", session},
	{"schedules", schedules},
	{"standalone", standalone},
	{"server", server},
	{"replay", replay},
}

func run(address string) (map[string]any, error) {
	quiet := log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil)))
	connected, err := client.Dial(client.Options{HostPort: address, Logger: quiet})
	if err != nil {
		return nil, err
	}
	defer connected.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	here := world{connected, ctx}
	if err := register(here); err != nil {
		return nil, err
	}
	working := worker.New(connected, taskQueue, worker.Options{
		EnableSessionWorker: true, MaxHeartbeatThrottleInterval: 50 * time.Millisecond,
	})
	for _, one := range workflows {
		working.RegisterWorkflow(one)
	}
	working.RegisterActivity(failTwice)
	working.RegisterActivity(reject)
	working.RegisterActivity(silent)
	working.RegisterActivity(untilCancelled)
	working.RegisterActivity(completedByToken)
	working.RegisterActivity(completedByID)
	working.RegisterActivity(echo)
	if err := working.Start(); err != nil {
		return nil, err
	}
	defer working.Stop()
	results := map[string]any{}
	for _, one := range cases {
		result, err := one.run(here)
		if err != nil {
			result = map[string]string{"error": err.Error()}
		}
		results[one.name] = result
	}
	return results, nil
}

func main() {
	results, err := run(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
