"""What upload-gateway does by itself, again and again, beside requests and events."""

from collections.abc import Sequence

from upload_gateway.metrics import watching
from upload_gateway.periodic import PeriodicJob
from upload_gateway.purging import purging_job
from upload_gateway.repair.sweeper import sweeping
from upload_gateway.resources import Resources


def jobs(resources: Resources) -> Sequence[PeriodicJob]:
    """Looks for uploads that got stuck, counts the dead letters that wait, removes what nobody needs any more."""
    return (sweeping(resources), watching(resources.database), purging_job(resources))
