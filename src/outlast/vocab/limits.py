"""Every limit, with its reason and where it comes from.

Rule: `*_MAX` counts or `*_BYTES_MAX` bytes that may be reached but not passed; `*_NS` lengths of time in ns.
Source: the numbers in brackets are rules of our behaviour reference; defaults of common/dynamicconfig/constants.go.
"""

from __future__ import annotations

from typing import Final

_SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_KIB: Final = 1024
_MIB: Final = 1024 * _KIB

# Names and small fields
ID_BYTES_MAX: Final = 1000
"""Any id or name: databases index them (3.5.7, limit.maxIDLength)."""
TASK_QUEUE_RESERVED_PREFIX: Final = "/_sys/"
"""Task queues of the server itself (3.5.7)."""
SUMMARY_BYTES_MAX: Final = 400
"""UserMetadata.summary of an activity of its own: one line in a UI (3.5.11)."""
DETAILS_BYTES_MAX: Final = 20_000
"""UserMetadata.details of one (3.5.11)."""
LINKS_MAX: Final = 32
"""Links of one workflow (3.5.11)."""
ACTIVITY_LINKS_MAX: Final = 2000
"""Links of one standalone activity, those included that later starts attach (3.2.13, chasm.maxLinksPerComponent)."""
CALLBACKS_MAX: Final = 32
"""Completion callbacks of one workflow (3.5.11)."""
HEADER_BYTES_MAX: Final = 8 * _KIB
"""The header of one completion callback (3.5.11, component.callbacks)."""
PRIORITY_KEY_MAX: Final = 5
"""Priority keys are 1 to 5, 1 first (3.13.5)."""
PRIORITY_KEY_DEFAULT: Final = 3
"""The priority of who names none (3.13.5)."""
FAIRNESS_KEY_BYTES_MAX: Final = 64
"""(3.13.5)."""
FAIRNESS_WEIGHT_MIN: Final = 0.001
"""(3.13.5)."""
FAIRNESS_WEIGHT_MAX: Final = 1000.0
"""(3.13.5)."""

# Sizes
BLOB_BYTES_MAX: Final = 2 * _MIB
"""One input, result, memo or set of details: it is stored and sent as one piece (3.10.1, limit.blobSize.error)."""
BLOB_BYTES_WARN: Final = 512 * _KIB
"""(3.10.1, limit.blobSize.warn)."""
TRANSACTION_BYTES_MAX: Final = 4 * _MIB
"""What one workflow task may add (3.10.1)."""
REQUEST_BYTES_MAX: Final = 4 * _MIB
"""One gRPC or HTTP request: gRPC's own default (3.10.1)."""
HTTP_CONNECTIONS_MAX: Final = 1000
"""Of one server: ours, for memory; each may hold a request of the size above."""
HTTP_HEAD_S: Final = 10.0
"""Until the head of a request is there: ours."""
HTTP_BODY_S: Final = 60.0
"""From the head to the end of the body: ours, for 4 MiB over a slow line."""
HTTP_WRITE_S: Final = 30.0
"""That a client may leave unread what it is sent: ours."""
GRPC_KEEPALIVE_S: Final = 60
"""After which a silent connection is asked whether the other side still is (frontend.keepAliveTime)."""
GRPC_KEEPALIVE_PATIENCE_S: Final = 20
"""For the answer; then its calls end, and the tasks that were polled for go to others."""
GRPC_HANDSHAKE_S: Final = 10
"""For the handshake of TLS and HTTP/2: ours; gRPC's own 120 s would let idle connections pile up."""
STATE_BYTES_MAX: Final = 8 * _MIB
"""The state of one run beside its history: it is rewritten by every transition (3.10.1)."""
ACTIVITY_FAILURE_BYTES_MAX: Final = 4 * _KIB
"""The last failure of a pending activity, kept in the state of the run (3.2.10)."""

WORKFLOW_TASK_FAILURE_BYTES_MAX: Final = 512 * _KIB
"""What a worker reports about one failed workflow task: ours; a traceback that is longer is not read."""

# History
HISTORY_EVENTS_MAX: Final = 51_200
"""A longer run is terminated: every replay reads it whole (3.10.1)."""
HISTORY_BYTES_MAX: Final = 50 * _MIB
"""A larger run is terminated (3.10.1)."""
HISTORY_EVENTS_WARN: Final = 10_240
"""(3.10.1)."""
HISTORY_BYTES_WARN: Final = 10 * _MIB
"""(3.10.1)."""
HISTORY_EVENTS_SUGGEST: Final = 4096
"""From here on the workflow is told to continue as new (3.6.4)."""
HISTORY_BYTES_SUGGEST: Final = 4 * _MIB
"""From here on the workflow is told to continue as new (3.6.4)."""
HISTORY_PAGE_MAX: Final = 256
"""Events of one page of history (3.10.4)."""

# What one run may have pending
PENDING_ACTIVITIES_MAX: Final = 2000
"""(3.4.10, limit.numPendingActivities.error)."""
PENDING_CHILDREN_MAX: Final = 2000
"""(3.4.10, limit.numPendingChildExecutions.error)."""
PENDING_SIGNALS_MAX: Final = 2000
"""Signals to other executions (3.4.10, limit.numPendingSignals.error)."""
PENDING_CANCEL_REQUESTS_MAX: Final = 2000
"""Cancel requests to other executions (3.4.10, limit.numPendingCancelRequests.error)."""
BUFFERED_EVENTS_MAX: Final = 100
"""Events that wait for the end of a workflow task; one more ends it (3.4.7, history.maximumBufferedEventsBatch)."""
BUFFERED_BYTES_MAX: Final = 2 * _MIB
"""The same in bytes (3.4.7, history.maximumBufferedEventsSizeInBytes)."""
SIGNALS_PER_RUN_MAX: Final = 10_000
"""(3.5.9, history.maximumSignalsPerExecution)."""
REQUEST_IDS_MAX: Final = 1000
"""Request ids that a run remembers to answer a repeated request as the first: ours, so that the state stays bounded."""
QUERIES_PENDING_MAX: Final = 1000
"""Queries that wait on one run: ours, for memory. Temporal allows 1 (3.8.2), which several open UIs already reach."""
QUERY_TASK_FAILURES_MAX: Final = 3
"""A workflow task that failed so often is not going to answer a query (3.8.3)."""
UPDATES_IN_FLIGHT_MAX: Final = 10
"""(3.9.8, history.maxInFlightUpdates)."""
UPDATES_IN_FLIGHT_BYTES_MAX: Final = 20 * _MIB
"""(3.9.8, history.maxInFlightUpdatePayloads)."""
UPDATES_PER_RUN_MAX: Final = 2000
"""(3.9.8, history.maxTotalUpdates)."""
UPDATES_SUGGEST: Final = UPDATES_PER_RUN_MAX * 9 // 10
"""From here on the workflow is told to continue as new (3.6.4)."""
UPDATE_TASK_ATTEMPTS_MAX: Final = 3
"""A workflow task at this attempt makes updates fail at once (3.9.8)."""

# Workflow tasks
WORKFLOW_TASK_TIMEOUT_DEFAULT_NS: Final = 10 * _SECOND
"""(3.4.1, history.defaultWorkflowTaskTimeout)."""
WORKFLOW_TASK_TIMEOUT_MAX_NS: Final = 120 * _SECOND
"""(3.4.1, limit.maxWorkflowTaskTimeout)."""
WORKFLOW_TASK_RETRY_ATTEMPTS: Final = 3
"""Beyond this attempt the timeout itself grows: it is the backoff of a workflow task that cannot succeed (3.4.4)."""
WORKFLOW_TASK_RETRY_INITIAL_NS: Final = 5 * _SECOND
"""The first growth (3.4.4)."""
WORKFLOW_TASK_RETRY_MAX_NS: Final = 10 * _MINUTE
"""The largest growth (3.4.4, history.workflowTaskRetryMaxInterval)."""
WORKFLOW_TASK_HEARTBEAT_NS: Final = 30 * _MINUTE
"""A worker may ask for more time for local activities so long: then another one has a try (3.2.11)."""
WORKFLOW_TASK_PROBLEM_FAILURES: Final = 5
"""So many failures in a row are shown as TemporalReportedProblems (3.4.5)."""
SPECULATIVE_TASK_TIMEOUT_NS: Final = 5 * _SECOND
"""Schedule-to-start of a workflow task that only carries updates (3.9.3)."""
SPECULATIVE_TASK_EVENTS_MAX: Final = 10
"""A speculative task that shipped more events is kept although it changed nothing (3.9.3)."""
STICKY_UNPOLLED_NS: Final = 10 * _SECOND
"""A sticky queue without a poller for so long counts as gone (3.4.12)."""
STICKY_QUERY_NS: Final = 10 * _SECOND
"""How long a query waits for the worker that has the run cached, when the worker named no time (3.4.12)."""
EAGER_ACTIVITIES_MAX: Final = 3
"""Activities that one workflow task may take along (3.4.14)."""

# Runs
RUN_INTERVAL_MIN_NS: Final = 1 * _SECOND
"""Between the starts of runs of one chain: a chain that always fails may not spin (3.5.7)."""
RETENTION_MIN_NS: Final = 1 * _HOUR
"""(3.10.5)."""
RETENTION_DEFAULT_NS: Final = 24 * _HOUR
"""What the development server gives its namespaces (3.10.5)."""
RETENTION_REGISTER_DEFAULT_NS: Final = 72 * _HOUR
"""What registering a namespace from the command line gives it (3.10.5)."""
AUTO_RESET_POINTS_MAX: Final = 20
"""(3.7.4)."""

# Waiting
POLL_NS: Final = 60 * _SECOND
"""A poll for a task, and how long it waits (3.4.18, matching.longPollExpirationInterval)."""
LONG_POLL_TAIL_NS: Final = 1 * _SECOND
"""A long poll answers so long before the caller's deadline, so that the answer still arrives (3.4.18)."""
LONG_POLL_DEADLINE_MIN_NS: Final = 2 * _SECOND
"""A poll with a shorter deadline is refused (3.4.18)."""
LONG_POLLS_MAX: Final = 1200
"""At the same time, for one RPC of one namespace (3.10.2)."""
HISTORY_LONG_POLL_NS: Final = 20 * _SECOND
"""Waiting for a new event (3.10.4, history.longPollExpirationInterval)."""
UPDATE_WAIT_NS: Final = 20 * _SECOND
"""Waiting for a stage of an update; then the stage reached is the answer (3.9.1)."""
QUERY_WAIT_NS: Final = 20 * _SECOND
"""Waiting for the answer to a query, when the caller set no nearer deadline (3.8.3)."""
WORKER_REGISTRY_NS: Final = 5 * _MINUTE
"""A worker is listed so long after its last heartbeat (3.10.3)."""

REASON_CHARACTERS_MAX: Final = 1000
"""Why an operator set a limit."""
POLLERS_REMEMBERED_MAX: Final = 1000
"""Identities of one task queue: ours, for memory."""
WORKERS_REMEMBERED_MAX: Final = 10_000
"""Workers of one namespace: ours, for memory."""

# Visibility
VISIBILITY_PAGE_MAX: Final = 1000
"""(3.11.6)."""
NAMESPACES_PAGE_MAX: Final = 1000
"""Namespaces of one page: ours, for memory."""
VISIBILITY_QUERY_BYTES_MAX: Final = 64 * _KIB
"""One list filter: ours, so that reading it stays short."""
VISIBILITY_COMPARISONS_MAX: Final = 500
"""Of one list filter: ours; SQLite allows expressions of depth 1000."""
VISIBILITY_NESTING_MAX: Final = 50
"""Levels of one list filter: ours, for the same reason."""
SEARCH_ATTRIBUTES_MAX: Final = 100
"""Keys of one execution (3.11.1)."""
SEARCH_ATTRIBUTE_BYTES_MAX: Final = 2 * _KIB
"""One value (3.11.1)."""
SEARCH_ATTRIBUTES_BYTES_MAX: Final = 40 * _KIB
"""All values of one execution (3.11.1)."""
PAUSES_SHOWN_MAX: Final = 50
"""Types of paused activities that TemporalPauseInfo names: ours, for the same reason as BUILDS_MAX."""
BUILDS_MAX: Final = 20
"""Builds that a run remembers: ours, so that the attribute stays within its 2 KiB in all but odd cases."""
KEYWORD_CHARACTERS_MAX: Final = 255
"""(3.11.1)."""

# Batch operations
BATCH_RATE_MAX: Final = 50.0
"""Operations of one job in a second; who asks for less gets less (3.13.7, worker.batcherRPS)."""
BATCH_CONCURRENCY: Final = 5
"""Operations of one job at the same time (3.13.7, worker.batcherConcurrency)."""
BATCH_EXECUTIONS_MAX: Final = 1000
"""Workflows that one job names one by one (3.13.7, frontend.maxExecutionCountBatchOperationPerNamespace)."""
BATCHES_RUNNING_MAX: Final = 1
"""Of one namespace (3.13.7, frontend.MaxConcurrentBatchOperationPerNamespace)."""
BATCH_PAGE: Final = 50
"""Workflows between two records of a job's progress: ours, a second's worth, which a crash makes it do again."""
BATCH_ATTEMPTS_MAX: Final = 10
"""Tries of one operation that may succeed later: ours. Temporal's 50 hold a job up for a minute."""
BATCH_RETRY_NS: Final = 1 * _SECOND
"""Between two of these tries: ours."""
BATCHES_KEPT_MAX: Final = 1000
"""Jobs of one namespace that have ended, beside its retention: ours, for memory."""

# Schedules
CATCHUP_WINDOW_DEFAULT_NS: Final = 365 * _DAY
"""(3.12.4)."""
CATCHUP_WINDOW_MIN_NS: Final = 10 * _SECOND
"""(3.12.4)."""
SCHEDULE_BUFFER_MAX: Final = 1000
"""Actions that are due and wait, for others to close (BUFFER_ALL) or to be started (3.12.5)."""
SCHEDULE_RETENTION_NS: Final = 7 * _DAY
"""A schedule that will never act again is kept so long (3.12.4)."""
SCHEDULE_RECENT_ACTIONS_MAX: Final = 10
"""Recent and, as many, coming actions in a description (3.12.6)."""
SCHEDULE_BACKFILLS_PER_ROUND_MAX: Final = 10
"""(3.12.6)."""
SCHEDULE_STARTS_PER_SECOND_MAX: Final = 30
"""(3.12.6)."""
SCHEDULE_BACKFILL_ROUND_NS: Final = 1 * _SECOND
"""Between two rounds of a backfill (service/worker/scheduler/workflow.go)."""
SCHEDULE_LIST_ACTIONS_MAX: Final = 5
"""Recent and, as many, coming actions of an entry in a list (3.12.6, ListSchedules)."""
SCHEDULE_LIST_SPECS_MAX: Final = 10
"""Calendars, intervals and exclusions, each, of an entry in a list (SpecFieldLengthLimit)."""
SCHEDULE_MATCHING_TIMES_MAX: Final = 1000
"""Times in the answer to ListScheduleMatchingTimes."""
SCHEDULE_NOTES_MAX: Final = 1000
"""Bytes of the note of a pause (common.ScheduleNotesSizeLimit)."""
SCHEDULE_COMMENT_MAX: Final = 200
"""Characters of the comment of a calendar (service/worker/scheduler/calendar.go)."""
SCHEDULE_SEARCH_MAX: Final = 10_000
"""Excluded times or stretches in a row before a schedule counts as one without further times: ours."""
SCHEDULE_TIMES_PER_TURN_MAX: Final = 1000
"""Times that a schedule makes up for at once; the rest follows when others have had their turn: ours."""
SCHEDULE_REQUEST_IDS_MAX: Final = 50
"""Calls that a schedule recognises when they are repeated: ours."""

WORKER_CACHE_BYTES_MAX: Final = 512 * _MIB
"""Histories of the runs that a worker keeps between their tasks: a thousand runs at the limit would be 50 GiB."""
