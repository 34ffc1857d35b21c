"""A fake Azure Speech service for the unmodified SDK: it recognises the audio it gets, speaks, and fails as planned.

`FakeAzure` (in `service`) is the way in; `plan` defines the faults. Starting it needs the extra `[fake-azure]`.
"""

from audiosocket_sim.fake_azure.faults_file import FaultsError, load_faults
from audiosocket_sim.fake_azure.plan import Drop, Faults, Pace, PlanStep, Stall
from audiosocket_sim.fake_azure.recognisers import Hearing, RecogniserError
from audiosocket_sim.fake_azure.request_log import Request
from audiosocket_sim.fake_azure.service import FakeAzure, FakeAzureError

__all__ = [
    "Drop",
    "FakeAzure",
    "FakeAzureError",
    "Faults",
    "FaultsError",
    "Hearing",
    "Pace",
    "PlanStep",
    "RecogniserError",
    "Request",
    "Stall",
    "load_faults",
]
