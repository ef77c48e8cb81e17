"""Warm starts: steps and kernels forked from one process that has imported what they all need.

To start Python and import pandas, scikit-learn and the rest takes seconds, and a step does it
twice: in the runner and in the notebook's kernel. While many steps run, a server imports once. A
process that finds its socket in the environment hands over its arguments, folder, environment and
standard streams, and waits as a stand-in for the process that the server forks. Where there is no
server, everything starts by itself, and the results are the same.
"""

import contextlib
import importlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from cohortlab.run.project import PINNED

# The socket of the server. Only Linux forks safely once libraries have been imported.
WARM_VARIABLE = "COHORTLAB_WARM"
TARGETS = {
    "step": "cohortlab.run.__main__:run",
    "kernel": "ipykernel.kernelapp:launch_new_instance",
}
# What most notebooks import. None of these starts a thread, opens a file or draws a number that a
# fork would share. The first must come before ipykernel, or it takes the server for a notebook.
PRELOADED = (
    "tqdm.auto",
    "cohortlab.run.steps",
    "duckdb",
    "ibis",
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "numba",
    "pandera.pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "seaborn",
    "sklearn.cluster",
    "sklearn.metrics",
    "sklearn.mixture",
)
# A socket's path may have 103 characters on any system; 30 of them stand below this folder.
LONGEST_TEMPORARY = 70
_STANDARD_STREAMS = (0, 1, 2)
_FORWARDED = (signal.SIGINT, signal.SIGTERM)
# How long a step that is told to end may tidy up. To end a kernel takes it a second or two.
GRACE_SEC = 10


@contextlib.contextmanager
def warm_server(modules: tuple[str, ...] = PRELOADED) -> Iterator[dict[str, str]]:
    """Run a server while a `with` block lasts.

    Parameters
    ----------
    modules : tuple of str
        What it imports before it forks anything, and not before somebody asks.

    Yields
    ------
    dict of str to str
        What to add to the environment of processes that are to start warm; nothing on systems other
        than Linux, where all start by themselves.

    Notes
    -----
    The socket listens before the server runs, so whoever comes early waits for the imports
    and makes none of their own.
    """
    if sys.platform != "linux":
        yield {}
        return
    with socket_folder() as folder:
        path = str(Path(folder) / "warm")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(64)
            code = f"from cohortlab.run import warm; warm.serve({listener.fileno()}, {modules!r})"
            server = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                # Python and libraries read these when they start. Stand-ins pass on signals.
                env={**os.environ, **PINNED},
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        try:
            yield {WARM_VARIABLE: path}
        finally:
            server.stdin.close()
            server.wait()


def socket_folder() -> tempfile.TemporaryDirectory:
    """Make a folder for sockets, in the system's own where the path to the user's is too long.

    Returns
    -------
    tempfile.TemporaryDirectory
        Removed at the end of its `with` block.
    """
    usual = tempfile.gettempdir()
    short = len(os.fsencode(usual)) <= LONGEST_TEMPORARY
    return tempfile.TemporaryDirectory(prefix="cohortlab-", dir=usual if short else "/tmp")


def serve(listening: int, modules: tuple[str, ...]) -> None:
    """Fork a process for whoever asks, until standard input ends.

    Parameters
    ----------
    listening : int
        Descriptor of a Unix socket that listens.
    modules : tuple of str
        What to import when somebody asks for the first time.
    """
    selector = selectors.DefaultSelector()
    listener = socket.socket(fileno=listening)
    selector.register(listener, selectors.EVENT_READ, "asked")
    selector.register(0, selectors.EVENT_READ, "ended")
    children: dict[socket.socket, int] = {}
    while True:
        for key, _ in selector.select():
            if key.data == "ended":
                for process in children.values():
                    _kill(process, signal.SIGKILL)
                os._exit(0)  # nothing to tidy up, which takes a second with so many modules
            if key.data == "asked":
                for name in modules:
                    importlib.import_module(name)
                connection, _ = listener.accept()
                try:
                    process = _fork(connection, selector)
                except (OSError, ValueError):  # who asked was gone before all was said
                    connection.close()
                    continue
                children[connection] = process
                selector.register(connection, selectors.EVENT_READ, "spoken")
                selector.register(os.pidfd_open(process), selectors.EVENT_READ, connection)
            elif key.data == "spoken":
                _pass_on(key.fileobj, children, selector)
            else:
                _report(key, children, selector)


def _fork(connection: socket.socket, selector: selectors.BaseSelector) -> int:
    """Fork a process that becomes what was asked for; in the server, return its number."""
    asked, streams = _receive(connection)
    if process := os.fork():
        for stream in streams:
            os.close(stream)
        return process
    status = 1
    try:
        for key in list(selector.get_map().values()):
            if key.data != "ended":  # standard input, which is replaced
                os.close(key.fd)
        _become(asked, streams)
        if asked["target"] == "step":
            end_in_order()
        module, _, function = TARGETS[asked["target"]].partition(":")
        status = getattr(importlib.import_module(module), function)(asked["arguments"]) or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def end_in_order(*, grace_sec: int = GRACE_SEC) -> None:
    """Have a signal end this process by an exception, so that it tidies up, but end it for sure.

    Parameters
    ----------
    grace_sec : int, default 10
        After so many seconds it is ended as it stands: the exception is lost where Python cannot
        raise one, in a finaliser, and then the process would go on.
    """

    def end(number: int, _: FrameType | None) -> None:
        for other in _FORWARDED:  # who asks twice does not interrupt the tidying
            signal.signal(other, signal.SIG_IGN)
        signal.alarm(grace_sec)
        sys.exit(128 + number)

    for number in _FORWARDED:
        signal.signal(number, end)


def _become(asked: dict, streams: list[int]) -> None:
    """Take over the streams, folder and environment of the process that asked."""
    for stream, standard in zip(streams, _STANDARD_STREAMS, strict=True):
        os.dup2(stream, standard)
        os.close(stream)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["folder"])
    # As with `python -m`, modules in the folder at hand come first, but for a kernel.
    sys.path[:1] = [] if asked["target"] == "kernel" else [asked["folder"]]
    if asked["target"] == "kernel":
        # The kernel has read already, when it was imported, whom it should not outlive: nobody.
        asked["arguments"].append(f"--IPKernelApp.parent_handle={os.getppid()}")
    sys.argv = [asked["target"], *asked["arguments"]]


def _receive(connection: socket.socket) -> tuple[dict, list[int]]:
    first, descriptors, _, _ = socket.recv_fds(connection, 8, len(_STANDARD_STREAMS))
    length = int.from_bytes(first, "big")
    try:
        with connection.makefile("rb") as stream:
            return json.loads(stream.read(length)), descriptors
    except ValueError:
        for descriptor in descriptors:
            os.close(descriptor)
        raise


def _pass_on(connection: socket.socket, children: dict, selector: selectors.BaseSelector) -> None:
    """Send on a signal that a stand-in received; where it is gone, end what it stood for."""
    if connection.fileno() < 0:  # its process ended at that moment, and was reported first
        return
    number = connection.recv(1)
    if connection in children:
        _kill(children[connection], number[0] if number else signal.SIGKILL)
    if not number:
        selector.unregister(connection)


def _report(key: selectors.SelectorKey, children: dict, selector: selectors.BaseSelector) -> None:
    """Tell a stand-in with which status its process has ended."""
    connection = key.data
    status = os.waitstatus_to_exitcode(os.waitpid(children.pop(connection), 0)[1])
    selector.unregister(key.fileobj)
    os.close(key.fd)
    with contextlib.suppress(KeyError):
        selector.unregister(connection)
    with contextlib.suppress(OSError):
        connection.send(bytes([status if status >= 0 else 128 - status]))
    connection.close()


def _kill(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def start_warm(target: str, arguments: list[str]) -> int | None:
    """Have the server run something in the place of this process, and wait for its end.

    Parameters
    ----------
    target : {'step', 'kernel'}
        What to run.
    arguments : list of str
        Its command line.

    Returns
    -------
    int or None
        Its exit status, 128 and more where a signal ended it; None where no server answers.
    """
    if not (path := os.environ.get(WARM_VARIABLE)):
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        return None
    asked = {"target": target, "arguments": arguments, "folder": os.getcwd()}
    text = json.dumps(asked | {"environment": dict(os.environ)}).encode()
    for number in _FORWARDED:
        # An interrupt stops a kernel's cell. A step it ends, and that `end_in_order` makes sure of.
        passed_on = number if target == "kernel" else signal.SIGTERM
        signal.signal(number, lambda *_, sent=passed_on: connection.send(bytes([sent])))
    socket.send_fds(connection, [len(text).to_bytes(8, "big")], _STANDARD_STREAMS)
    connection.sendall(text)
    return _wait(connection)


def _wait(connection: socket.socket) -> int:
    parent = os.getppid()
    # A kernel ends with the process that started it, even where that was killed.
    while os.getppid() == parent:
        if select.select([connection], [], [], 1.0)[0]:
            status = connection.recv(1)
            return status[0] if status else 1
    return 1


def kernel_command(command: list[str]) -> list[str]:
    """Change the command of a Python kernel into one that starts warm where that is possible.

    Parameters
    ----------
    command : list of str
        As Jupyter has it: `python -m ipykernel_launcher -f FILE`, with options perhaps.

    Returns
    -------
    list of str
        The command of a stand-in; the same command where no server is named, or it is another one.
    """
    if WARM_VARIABLE not in os.environ or command[1:3] != ["-m", "ipykernel_launcher"]:
        return command
    return [command[0], "-m", "cohortlab.run.warm", *command[3:]]


def main(arguments: list[str]) -> int:
    """Be a kernel: a warm one, or where no server answers, one that starts by itself.

    Parameters
    ----------
    arguments : list of str
        Those of `ipykernel_launcher`.

    Returns
    -------
    int
        The kernel's exit status.
    """
    status = start_warm("kernel", arguments)
    if status is None:
        os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", *arguments])
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
