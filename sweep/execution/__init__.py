"""Chunks -> records, in threads or processes: who runs (dispatch, processes), what (networks), and who is to blame."""

from __future__ import annotations

from .dispatch import BACKENDS, check_workers
from .execution import Execution
from .networks import model_task, record_task, train_jobs
from .signals import Interruption
from .supervisor import WorkersDieError
from .tasks import Outcome, Task, Watch

__all__ = [
    "BACKENDS",
    "Execution",
    "Interruption",
    "Outcome",
    "Task",
    "Watch",
    "WorkersDieError",
    "check_workers",
    "model_task",
    "record_task",
    "train_jobs",
]
