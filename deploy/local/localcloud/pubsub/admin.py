"""mmsearch.localcloud.Faults: the one gRPC service that is not Google's, for fault tests.

``Set`` takes FaultSettings as JSON and answers them; ``{}`` switches all faults off.
"""

import grpc
from pydantic import ValidationError

from localcloud.pubsub.faults import Faults, FaultSettings
from localcloud.pubsub.rpc import Context, Method

SERVICE = "mmsearch.localcloud.Faults"


def faults_methods(faults: Faults) -> dict[str, Method]:
    """The RPCs by name."""

    async def set_faults(request: bytes, context: Context) -> bytes:
        try:
            settings = FaultSettings.model_validate_json(request)
        except ValidationError as invalid:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(invalid))
        faults.set(settings)
        return settings.model_dump_json().encode()

    return {"Set": grpc.unary_unary_rpc_method_handler(set_faults)}
