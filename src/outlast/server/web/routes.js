/**
 * The RPCs that the UI calls, with their routes. The tests compare this table with the service's own annotations.
 *
 * @type {Object<string, [string, string]>}
 */
export const ROUTES = {
  GetSystemInfo: ["GET", "/api/v1/system-info"],
  GetClusterInfo: ["GET", "/api/v1/cluster-info"],
  ListNamespaces: ["GET", "/api/v1/namespaces"],
  RegisterNamespace: ["POST", "/api/v1/namespaces"],
  DescribeNamespace: ["GET", "/api/v1/namespaces/{namespace}"],
  UpdateNamespace: ["POST", "/api/v1/namespaces/{namespace}/update"],
  DeleteNamespace: ["POST", "/api/v1/temporal.api.operatorservice.v1.OperatorService/DeleteNamespace"],
  AddSearchAttributes: ["POST", "/api/v1/temporal.api.operatorservice.v1.OperatorService/AddSearchAttributes"],
  RemoveSearchAttributes: ["POST", "/api/v1/temporal.api.operatorservice.v1.OperatorService/RemoveSearchAttributes"],
  ListSearchAttributes: ["GET", "/api/v1/namespaces/{namespace}/search-attributes"],
  ListWorkflowExecutions: ["GET", "/api/v1/namespaces/{namespace}/workflows"],
  CountWorkflowExecutions: ["GET", "/api/v1/namespaces/{namespace}/workflow-count"],
  StartWorkflowExecution: ["POST", "/api/v1/namespaces/{namespace}/workflows/{workflow_id}"],
  DescribeWorkflowExecution: ["GET", "/api/v1/namespaces/{namespace}/workflows/{execution.workflow_id}"],
  GetWorkflowExecutionHistory: ["GET", "/api/v1/namespaces/{namespace}/workflows/{execution.workflow_id}/history"],
  GetWorkflowExecutionHistoryReverse: [
    "GET",
    "/api/v1/namespaces/{namespace}/workflows/{execution.workflow_id}/history-reverse",
  ],
  QueryWorkflow: ["POST", "/api/v1/namespaces/{namespace}/workflows/{execution.workflow_id}/query/{query.query_type}"],
  SignalWorkflowExecution: [
    "POST",
    "/api/v1/namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/signal/{signal_name}",
  ],
  UpdateWorkflowExecution: [
    "POST",
    "/api/v1/namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/update/{request.input.name}",
  ],
  RequestCancelWorkflowExecution: [
    "POST",
    "/api/v1/namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/cancel",
  ],
  TerminateWorkflowExecution: [
    "POST",
    "/api/v1/namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/terminate",
  ],
  ResetWorkflowExecution: ["POST", "/api/v1/namespaces/{namespace}/workflows/{workflow_execution.workflow_id}/reset"],
  PauseWorkflowExecution: ["POST", "/api/v1/namespaces/{namespace}/workflows/{workflow_id}/pause"],
  UnpauseWorkflowExecution: ["POST", "/api/v1/namespaces/{namespace}/workflows/{workflow_id}/unpause"],
  StartBatchOperation: ["POST", "/api/v1/namespaces/{namespace}/batch-operations/{job_id}"],
  DescribeBatchOperation: ["GET", "/api/v1/namespaces/{namespace}/batch-operations/{job_id}"],
  StopBatchOperation: ["POST", "/api/v1/namespaces/{namespace}/batch-operations/{job_id}/stop"],
  ListBatchOperations: ["GET", "/api/v1/namespaces/{namespace}/batch-operations"],
  PauseActivity: ["POST", "/api/v1/namespaces/{namespace}/activities-deprecated/pause"],
  UnpauseActivity: ["POST", "/api/v1/namespaces/{namespace}/activities-deprecated/unpause"],
  ResetActivity: ["POST", "/api/v1/namespaces/{namespace}/activities-deprecated/reset"],
  DescribeTaskQueue: ["GET", "/api/v1/namespaces/{namespace}/task-queues/{task_queue.name}"],
  ListWorkers: ["GET", "/api/v1/namespaces/{namespace}/workers"],
};
