"""Server: the gRPC services of Cloud Run's jobs and of Batch, as far as trainings need them, on one port."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.cloud import batch_v1, run_v2
from google.longrunning.operations_pb2 import GetOperationRequest, Operation

from deploy.jobs_server.batches import Batches
from deploy.jobs_server.executions import Executions
from deploy.local.ports import HOST
from shared.bus import Message
from shared.errors import FitsenseError
from shared.settings import Settings

LOOK_EVERY_S = 0.1
THREADS = 8

log = logging.getLogger("fitsense.jobs_server")

T = TypeVar("T")
Publish = Callable[[Message], None]


class JobsServer:
    """Both services over a folder; `publish` hands a message to Pub/Sub before it returns."""

    def __init__(self, root: Path, settings: Settings, publish: Publish) -> None:
        self.executions = Executions(root / "executions", settings)
        self.batches = Batches(root / "batches", settings)
        self._publish = publish

    def run_job(self, request: run_v2.RunJobRequest, context: grpc.ServicerContext) -> Operation:
        """Jobs.RunJob."""
        with _answering(context):
            return _operation(self.executions.run(request))

    def list_executions(
        self, request: run_v2.ListExecutionsRequest, context: grpc.ServicerContext
    ) -> run_v2.ListExecutionsResponse:
        """Executions.ListExecutions."""
        with _answering(context):
            return run_v2.ListExecutionsResponse(executions=self.executions.of_job(request.parent))

    def get_execution(self, request: run_v2.GetExecutionRequest, context: grpc.ServicerContext) -> run_v2.Execution:
        """Executions.GetExecution."""
        with _answering(context):
            return _found(self.executions.named(request.name), request.name, context)

    def list_tasks(self, request: run_v2.ListTasksRequest, context: grpc.ServicerContext) -> run_v2.ListTasksResponse:
        """Tasks.ListTasks."""
        with _answering(context):
            return run_v2.ListTasksResponse(tasks=self.executions.tasks(request.parent))

    def get_operation(self, request: GetOperationRequest, context: grpc.ServicerContext) -> Operation:
        """Operations.GetOperation."""
        with _answering(context):
            return _operation(
                _found(self.executions.named(request.name.removeprefix(OPERATION)), request.name, context)
            )

    def create_job(self, request: batch_v1.CreateJobRequest, context: grpc.ServicerContext) -> batch_v1.Job:
        """BatchService.CreateJob."""
        with _answering(context):
            job = self.batches.create(request)
            if job is None:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, f"job {request.job_id} already exists")
                raise AssertionError("abort raises")
            return job

    def get_job(self, request: batch_v1.GetJobRequest, context: grpc.ServicerContext) -> batch_v1.Job:
        """BatchService.GetJob."""
        with _answering(context):
            return _found(self.batches.named(request.name), request.name, context)

    def look(self) -> None:
        """Start again what is to be, and publish the ends that have not been; a message may be published twice."""
        self.batches.try_again()
        for folder, message in (*self.executions.ends(), *self.batches.ends()):
            self._publish(message)
            folder.note_told()

    def watch(self, over: threading.Event) -> None:
        """Look again and again."""
        while not over.wait(LOOK_EVERY_S):
            try:
                self.look()
            except FitsenseError as exc:
                log.warning("cannot tell of a job yet: %s", exc)


OPERATION = "operations/"


@contextmanager
def serving(jobs: JobsServer, port: int = 0) -> Iterator[int]:
    """Serve until the end of the body; yields the port."""
    server = grpc.server(futures.ThreadPoolExecutor(THREADS))
    server.add_generic_rpc_handlers(_handlers(jobs))
    chosen = server.add_insecure_port(f"{HOST}:{port}")
    server.start()
    over = threading.Event()
    watching = threading.Thread(target=jobs.watch, args=(over,), daemon=True)
    watching.start()
    try:
        yield chosen
    finally:
        over.set()
        watching.join()
        server.stop(grace=1).wait()


def _handlers(jobs: JobsServer) -> tuple[grpc.GenericRpcHandler, ...]:
    def method(call: Callable[..., Any], asked: Any, answer: Any) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            call, request_deserializer=asked.deserialize, response_serializer=answer.serialize
        )

    def operation(call: Callable[..., Any], read: Callable[[bytes], Any]) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(
            call, request_deserializer=read, response_serializer=Operation.SerializeToString
        )

    run, batch = "google.cloud.run.v2", "google.cloud.batch.v1"
    services: dict[str, dict[str, grpc.RpcMethodHandler]] = {
        f"{run}.Jobs": {"RunJob": operation(jobs.run_job, run_v2.RunJobRequest.deserialize)},
        f"{run}.Executions": {
            "ListExecutions": method(jobs.list_executions, run_v2.ListExecutionsRequest, run_v2.ListExecutionsResponse),
            "GetExecution": method(jobs.get_execution, run_v2.GetExecutionRequest, run_v2.Execution),
        },
        f"{run}.Tasks": {"ListTasks": method(jobs.list_tasks, run_v2.ListTasksRequest, run_v2.ListTasksResponse)},
        "google.longrunning.Operations": {
            "GetOperation": operation(jobs.get_operation, GetOperationRequest.FromString)
        },
        f"{batch}.BatchService": {
            "CreateJob": method(jobs.create_job, batch_v1.CreateJobRequest, batch_v1.Job),
            "GetJob": method(jobs.get_job, batch_v1.GetJobRequest, batch_v1.Job),
        },
    }
    return tuple(grpc.method_handlers_generic_handler(name, methods) for name, methods in services.items())


def _operation(execution: run_v2.Execution) -> Operation:
    operation = Operation(name=f"{OPERATION}{execution.name}", done=bool(execution.completion_time))
    operation.metadata.Pack(run_v2.Execution.pb(execution))
    if operation.done:
        operation.response.Pack(run_v2.Execution.pb(execution))
    return operation


def _found(one: T | None, name: str, context: grpc.ServicerContext) -> T:
    if one is None:
        context.abort(grpc.StatusCode.NOT_FOUND, f"{name} does not exist")
        raise AssertionError("abort raises")
    return one


@contextmanager
def _answering(context: grpc.ServicerContext) -> Iterator[None]:
    try:
        yield
    except FitsenseError as exc:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(exc))
