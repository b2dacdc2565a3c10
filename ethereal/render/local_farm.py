"""Worker processes on this machine that share the chunks of one plan."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from os import dup
from pathlib import Path
from subprocess import PIPE

from ethereal.errors import ChildFailedError, EtherealError, is_worth_another
from ethereal.process import start_guarded
from ethereal.render.chunk import ChunkResult
from ethereal.render.chunks import Chunk
from ethereal.render.local_worker import Answer, ChunkTask, Drawn, WorkerStart
from ethereal.render.plan_record import Plan

# Not with -m: what a module run so sends is of `__main__`, which is another module here.
_WORKER = "from ethereal.render.local_worker import main; main()"
_TELL_SECONDS = 0.2
_TRIES = 2  # of a chunk, when a fresh browser or process may do better


def draw_chunks(
    plan: Plan, directory: Path, start: WorkerStart, *, workers: int, tell: Callable[[int], None]
) -> list[Path]:
    """Draw the chunks of `plan` into `directory`, return their files; `tell` gets frames drawn, may raise."""
    farm = _Farm(plan, directory, start)
    with ExitStack() as processes:
        for _ in range(min(workers, len(plan.chunks))):
            farm.hire(processes)
        while farm.working:
            for worker in farm.ready(_TELL_SECONDS):
                farm.hear(worker, processes)
            tell(farm.frames_drawn)
    return [directory / chunk.name for chunk in plan.chunks]


@dataclass(eq=False)
class _Worker:
    """A worker process, the chunk it draws, and how far it is."""

    tasks: Connection
    answers: Connection
    chunk: Chunk
    drawn: int = 0


class _Farm:
    """Which chunks are to be drawn, being drawn and done."""

    def __init__(self, plan: Plan, directory: Path, start: WorkerStart) -> None:
        self._directory, self._start = directory, start
        self._waiting = deque(plan.chunks)
        self._tries: Counter[int] = Counter()
        self._frames_done = 0
        self.working: dict[Connection, _Worker] = {}

    @property
    def frames_drawn(self) -> int:
        return self._frames_done + sum(worker.drawn for worker in self.working.values())

    def hire(self, processes: ExitStack) -> None:
        """Start a worker on the next chunk."""
        tasks, answers = processes.enter_context(_worker_process())
        tasks.send(self._start)
        self._give(_Worker(tasks, answers, self._waiting[0]))

    def ready(self, seconds: float) -> list[_Worker]:
        """Wait for answers, `seconds` at most."""
        heard = wait(list(self.working), seconds)
        return [worker for answers, worker in self.working.items() if answers in heard]

    def hear(self, worker: _Worker, processes: ExitStack) -> None:
        """Take in an answer and hand out the next chunk."""
        answer = _receive(worker)
        if isinstance(answer, Drawn):
            worker.drawn = answer.frames
            return
        del self.working[worker.answers]
        if isinstance(answer, ChunkResult):
            self._frames_done += answer.frame_count
        else:
            self._try_again(worker.chunk, answer)
        if not self._waiting:
            worker.tasks.close()  # its process ends
        elif isinstance(answer, ChildFailedError):
            self.hire(processes)
        else:
            self._give(worker)

    def _give(self, worker: _Worker) -> None:
        worker.chunk, worker.drawn = self._waiting.popleft(), 0
        self._tries[worker.chunk.index] += 1
        worker.tasks.send(ChunkTask(worker.chunk.index, self._directory / worker.chunk.name))
        self.working[worker.answers] = worker

    def _try_again(self, chunk: Chunk, error: EtherealError) -> None:
        if not is_worth_another(error, tries=self._tries[chunk.index], most=_TRIES):
            raise error
        self._waiting.append(chunk)


def _receive(worker: _Worker) -> Answer:
    try:
        answer: Answer = worker.answers.recv()
    except (EOFError, OSError):
        return ChildFailedError(f"the process that drew chunk {worker.chunk.index} died")
    return answer


@contextmanager
def _worker_process() -> Iterator[tuple[Connection, Connection]]:
    """Start a worker, which ends with the block; yield where it takes tasks and where it answers."""
    command = [sys.executable, "-c", _WORKER]
    with start_guarded(command, stdin=PIPE, stdout=PIPE) as process:
        stdin, stdout = process.popen.stdin, process.popen.stdout
        if stdin is None or stdout is None:
            raise ChildFailedError("a worker was started without pipes")
        tasks = Connection(dup(stdin.fileno()), readable=False)
        answers = Connection(dup(stdout.fileno()), writable=False)
        stdin.close()
        stdout.close()
        with closing(tasks), closing(answers):
            yield tasks, answers
