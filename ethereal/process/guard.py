"""Run a command and end every process it ever started: once it ends, when asked to, or when PARENT dies.

    python -I -S guard.py PARENT GRACE SIGNAL group|leader ABOUT COMMAND...

ABOUT goes into its environment. Standard library only and never imported. Exits as COMMAND did (128 + n for
signal n, 127 when it cannot run).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CANNOT_RUN = 127
LOOK_SECONDS = 0.2  # how often to look for a dead parent where there is no pidfd (macOS, gVisor)
AFTER_KILL_SECONDS = 5.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def main(arguments: list[str]) -> int:
    parent, grace, signal_name, whom, about, *command = arguments
    if about:
        os.putenv("ETHEREAL_ABOUT", about)
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    keep_descriptors()
    wakeups = catch_signals()
    watch = ParentWatch(int(parent))
    tree = Tree(start(command))
    if must_stop(tree, watch, wakeups):
        tree.tell_leader(signal.Signals["SIG" + signal_name], with_group=whom == "group")
    tree.end(float(grace), wakeups)
    return tree.exit_code


def must_stop(tree: Tree, watch: ParentWatch, wakeups: int) -> bool:
    """Wait until the leader has ended (False), or until it has to be ended (True)."""
    while tree.reap() and not tree.leader_ended:
        if watch.parent_died():
            return True
        ready = select.select([wakeups, *watch.descriptors], [], [], watch.timeout)[0]
        if wakeups in ready and any(number != signal.SIGCHLD for number in os.read(wakeups, 64)):
            return True
    return False


class ParentWatch:
    """Tells whether the process that asked for the command still lives."""

    def __init__(self, parent: int) -> None:
        self._parent, self._ancestor = parent, os.getppid()
        self.descriptors: list[int] = []
        self.timeout: float | None = LOOK_SECONDS
        with contextlib.suppress(OSError, AttributeError):
            self.descriptors = [os.pidfd_open(parent)]
            self.timeout = None

    def parent_died(self) -> bool:
        if self.descriptors:
            return bool(select.select(self.descriptors, [], [], 0)[0])
        try:
            os.kill(self._parent, 0)
        except ProcessLookupError:
            return True
        return os.getppid() != self._ancestor


class Tree:
    """The command, leader of its own session, and all that came from it: orphans are adopted by the guard."""

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._has_group = True
        self._told: set[int] = set()
        self.leader_ended = False
        self.exit_code = CANNOT_RUN

    def reap(self) -> bool:
        """Take in what has ended; say whether anything is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._leader:
                code = os.waitstatus_to_exitcode(status)
                self.leader_ended, self.exit_code = True, code if code >= 0 else 128 - code

    def tell_leader(self, number: int, *, with_group: bool) -> None:
        if with_group:
            self._tell_group(number)
        elif not self.leader_ended:
            os.kill(self._leader, number)

    def end(self, grace: float, wakeups: int) -> None:
        """Wait for all to end: what outlives the leader gets SIGTERM, what outlives `grace` SIGKILL."""
        deadline = time.monotonic() + grace
        while self.reap():
            late = time.monotonic() - deadline
            if late > AFTER_KILL_SECONDS:
                return
            if late > 0:
                self._kill_all()
            elif self.leader_ended:
                self._tell_the_rest()
            if select.select([wakeups], [], [], 0.05)[0]:
                os.read(wakeups, 64)
        self._tell_group(signal.SIGKILL)  # where orphans do not come to the guard (macOS)

    def _tell_the_rest(self) -> None:
        if self._leader not in self._told:
            self._tell_group(signal.SIGTERM)
        for pid in set(own_children()) - self._told:
            tell(pid, signal.SIGTERM)
            self._told.add(pid)
        self._told.add(self._leader)

    def _kill_all(self) -> None:
        self._tell_group(signal.SIGKILL)
        for pid in own_children():
            tell(pid, signal.SIGKILL)

    def _tell_group(self, number: int) -> None:
        if self._has_group:
            try:
                os.killpg(self._leader, number)
            except (ProcessLookupError, PermissionError):
                self._has_group = False  # from now on its number may go to a stranger


def own_children() -> list[int]:
    """The leader and every orphan of the tree."""
    try:
        with open("/proc/thread-self/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def tell(child: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, number)


def start(command: list[str]) -> int:
    """Start the command and return once it is on its own: in its session, and hearing signals."""
    guard = os.getpid()
    starting, started = os.pipe()  # closed on exec
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    pid = os.fork()
    if pid == 0:
        become(command, guard)
    os.close(started)
    os.read(starting, 1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # held open here, a pipe that the command closed would not look closed
    return pid


def become(command: list[str], guard: int) -> None:
    """Turn this forked child into the command, which dies with the guard."""
    try:
        os.setsid()
        set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            return
        signal.set_wakeup_fd(-1)
        for number in (*STOP_SIGNALS, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.stderr.flush()
    finally:
        os._exit(CANNOT_RUN)


def keep_descriptors() -> None:
    """Hold what was handed over (a lock file) for as long as the guard lives, without passing it on."""
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):
            if int(name) > 2:
                os.set_inheritable(int(name), False)


def catch_signals() -> int:
    """Turn signals into bytes (their numbers) on the descriptor that is returned."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (*STOP_SIGNALS, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reader


def set_process_option(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
