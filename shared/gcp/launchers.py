"""Launchers on Google's services: Cloud Run and Batch in the cloud, or the local server that stands for both."""

import grpc
from google.cloud import batch_v1, run_v2

from shared.gcp.batch_jobs import BatchLauncher
from shared.gcp.clients import unavailable
from shared.gcp.run_jobs import CloudRunLauncher
from shared.jobs import Launchers
from shared.lease import Leases
from shared.process_jobs import ProcessLauncher
from shared.settings import Settings


def google_launchers(settings: Settings, leases: Leases) -> Launchers:
    """Return where jobs may run; raises Unavailable where there are no credentials."""
    with unavailable("Cloud Run and Batch"):
        launchers: Launchers = {
            "cloud_run": CloudRunLauncher(*_run_clients(settings.jobs_host), settings, leases),
            "batch": BatchLauncher(_batch_client(settings.jobs_host), settings),
        }
    # In the cloud a process of a function's instance ends with the instance.
    return launchers if settings.stack == "gcp" else {**launchers, "subprocess": ProcessLauncher(settings)}


def _run_clients(host: str | None) -> tuple[run_v2.JobsClient, run_v2.ExecutionsClient, run_v2.TasksClient]:
    if host is None:
        return run_v2.JobsClient(), run_v2.ExecutionsClient(), run_v2.TasksClient()
    channel = grpc.insecure_channel(host)
    return (
        run_v2.JobsClient(transport=run_v2.JobsClient.get_transport_class("grpc")(channel=channel)),
        run_v2.ExecutionsClient(transport=run_v2.ExecutionsClient.get_transport_class("grpc")(channel=channel)),
        run_v2.TasksClient(transport=run_v2.TasksClient.get_transport_class("grpc")(channel=channel)),
    )


def _batch_client(host: str | None) -> batch_v1.BatchServiceClient:
    if host is None:
        return batch_v1.BatchServiceClient()
    transport = batch_v1.BatchServiceClient.get_transport_class("grpc")
    return batch_v1.BatchServiceClient(transport=transport(channel=grpc.insecure_channel(host)))
