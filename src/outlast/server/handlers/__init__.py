"""One function per RPC: look up, decide, reply. The table is what the server can do."""

from __future__ import annotations

from collections.abc import Mapping

from ..node import Handler
from . import (
    activity,
    activity_execution,
    activity_execution_list,
    activity_execution_requests,
    activity_operations,
    batch,
    cancellation,
    deletion,
    history,
    multi_operation,
    namespace,
    options,
    pause,
    query,
    reset,
    schedule,
    search_attributes,
    signal,
    start,
    system,
    task_queue,
    termination,
    time_skipping,
    update,
    visibility,
    worker,
    workflow_task,
)

WORKFLOW_SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
OPERATOR_SERVICE = "temporal.api.operatorservice.v1.OperatorService"
TEST_SERVICE = "temporal.api.testservice.v1.TestService"

_WORKFLOW: Mapping[str, Handler] = {
    "GetSystemInfo": system.get_system_info,
    "GetClusterInfo": system.get_cluster_info,
    "DescribeNamespace": namespace.describe,
    "ListNamespaces": namespace.list_all,
    "RegisterNamespace": namespace.register,
    "UpdateNamespace": namespace.update,
    "DeprecateNamespace": namespace.deprecate,
    "ListWorkflowExecutions": visibility.list_all,
    "ScanWorkflowExecutions": visibility.scan,
    "CountWorkflowExecutions": visibility.count,
    "ListOpenWorkflowExecutions": visibility.list_open,
    "ListClosedWorkflowExecutions": visibility.list_closed,
    "StartBatchOperation": batch.start,
    "StopBatchOperation": batch.stop,
    "DescribeBatchOperation": batch.describe,
    "ListBatchOperations": batch.list_all,
    "CreateSchedule": schedule.create,
    "DescribeSchedule": schedule.show,
    "UpdateSchedule": schedule.update,
    "PatchSchedule": schedule.apply,
    "DeleteSchedule": schedule.delete,
    "ListScheduleMatchingTimes": schedule.matching_times,
    "ListSchedules": schedule.list_all,
    "CountSchedules": schedule.count,
    "GetSearchAttributes": visibility.search_attributes,
    "StartWorkflowExecution": start.start,
    "SignalWithStartWorkflowExecution": start.signal_with_start,
    "SignalWorkflowExecution": signal.signal,
    "RequestCancelWorkflowExecution": cancellation.request,
    "TerminateWorkflowExecution": termination.terminate,
    "ResetWorkflowExecution": reset.reset,
    "UpdateWorkflowExecutionOptions": options.update,
    "PauseWorkflowExecution": pause.pause,
    "UnpauseWorkflowExecution": pause.unpause,
    "DeleteWorkflowExecution": deletion.delete,
    "DescribeWorkflowExecution": history.describe,
    "GetWorkflowExecutionHistory": history.get,
    "GetWorkflowExecutionHistoryReverse": history.get_reverse,
    "ExecuteMultiOperation": multi_operation.execute,
    "UpdateWorkflowExecution": update.update,
    "PollWorkflowExecutionUpdate": update.poll,
    "QueryWorkflow": query.query,
    "RespondQueryTaskCompleted": query.respond,
    "PollWorkflowTaskQueue": workflow_task.poll,
    "RespondWorkflowTaskCompleted": workflow_task.respond_completed,
    "RespondWorkflowTaskFailed": workflow_task.respond_failed,
    "ResetStickyTaskQueue": worker.reset_sticky,
    "ShutdownWorker": worker.shutdown,
    "RecordWorkerHeartbeat": worker.heartbeat,
    "ListWorkers": worker.list_all,
    "CountWorkers": worker.count,
    "DescribeWorker": worker.describe,
    "DescribeTaskQueue": task_queue.describe,
    "UpdateTaskQueueConfig": task_queue.update_config,
    "ListTaskQueuePartitions": task_queue.list_partitions,
    "PollActivityTaskQueue": activity.poll,
    "RecordActivityTaskHeartbeat": activity.heartbeat,
    "RecordActivityTaskHeartbeatById": activity.heartbeat_by_id,
    "RespondActivityTaskCompleted": activity.respond_completed,
    "RespondActivityTaskCompletedById": activity.respond_completed_by_id,
    "RespondActivityTaskFailed": activity.respond_failed,
    "RespondActivityTaskFailedById": activity.respond_failed_by_id,
    "RespondActivityTaskCanceled": activity.respond_canceled,
    "RespondActivityTaskCanceledById": activity.respond_canceled_by_id,
    "StartActivityExecution": activity_execution.start,
    "DescribeActivityExecution": activity_execution.describe,
    "PollActivityExecution": activity_execution.poll,
    "ListActivityExecutions": activity_execution_list.list_all,
    "CountActivityExecutions": activity_execution_list.count,
    "RequestCancelActivityExecution": activity_execution_requests.request_cancel,
    "TerminateActivityExecution": activity_execution_requests.terminate,
    "DeleteActivityExecution": activity_execution_requests.delete,
    "PauseActivity": activity_operations.pause,
    "UnpauseActivity": activity_operations.unpause,
    "ResetActivity": activity_operations.reset,
    "UpdateActivityOptions": activity_operations.update_options,
    "PauseActivityExecution": activity_operations.pause_execution,
    "UnpauseActivityExecution": activity_operations.unpause_execution,
    "ResetActivityExecution": activity_operations.reset_execution,
    "UpdateActivityExecutionOptions": activity_operations.update_execution_options,
}

_OPERATOR: Mapping[str, Handler] = {
    "AddSearchAttributes": search_attributes.add,
    "RemoveSearchAttributes": search_attributes.remove,
    "ListSearchAttributes": search_attributes.list_all,
    "DeleteNamespace": namespace.delete,
}

_TEST: Mapping[str, Handler] = {
    "LockTimeSkipping": time_skipping.lock,
    "UnlockTimeSkipping": time_skipping.unlock,
    "Sleep": time_skipping.sleep,
    "SleepUntil": time_skipping.sleep_until,
    "UnlockTimeSkippingWithSleep": time_skipping.unlock_with_sleep,
    "GetCurrentTime": time_skipping.get_current_time,
}

HANDLERS: Mapping[tuple[str, str], Handler] = {
    (service, rpc): handler
    for service, handlers in ((WORKFLOW_SERVICE, _WORKFLOW), (OPERATOR_SERVICE, _OPERATOR), (TEST_SERVICE, _TEST))
    for rpc, handler in handlers.items()
}
"""(service, RPC) -> handler. What is not here answers UNIMPLEMENTED."""
