"""Chunks -> records, in threads or processes: who runs (dispatch, processes), what (networks), and who is to blame."""

from __future__ import annotations

from .dispatch import BACKENDS, check_workers
from .execution import Execution
from .functions import function_task, run_function
from .networks import model_task, record_task, train_jobs
from .signals import Interruption
from .supervisor import WorkersDieError
from .tasks import Outcome, Task, Watch, Work

__all__ = [
    "BACKENDS",
    "Execution",
    "Interruption",
    "Outcome",
    "Task",
    "Watch",
    "Work",
    "WorkersDieError",
    "check_workers",
    "function_task",
    "model_task",
    "record_task",
    "run_function",
    "train_jobs",
]
