"""Speak with language servers and debug adapters, as an editor does."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from processes import running, wait_for
from servers import clean_env, free_port


class Connection:
    """Carries messages of JSON, each with its length before it."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self.reader, self.writer = reader, writer

    def send(self, **message: Any) -> None:
        body = json.dumps(message).encode()
        self.writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.writer.flush()

    def receive(self) -> dict | None:
        """Return the next message, or None at the end."""
        length = 0
        while line := self.reader.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name == b"Content-Length" else length
        return json.loads(self.reader.read(length)) if length else None


class LanguageServer:
    """A language server for one folder, which saves as an editor does."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection, self.id = connection, 0
        root = folder.as_uri()
        self.ask(
            "initialize",
            processId=None,
            rootUri=root,
            workspaceFolders=[{"uri": root, "name": folder.name}],
            capabilities={
                "textDocument": {
                    "codeAction": {
                        "codeActionLiteralSupport": {
                            "codeActionKind": {"valueSet": ["source"]}
                        },
                        "dataSupport": True,
                        "resolveSupport": {"properties": ["edit"]},
                    }
                },
            },
        )
        self.tell("initialized")

    def tell(self, method: str, **params: Any) -> None:
        self.connection.send(jsonrpc="2.0", method=method, params=params)

    def ask(self, method: str, **params: Any) -> Any:
        """Return the result of a request; tell who asks back that nothing is set."""
        self.id += 1
        self.connection.send(jsonrpc="2.0", id=self.id, method=method, params=params)
        while message := self.connection.receive():
            if "method" in message:
                if "id" in message:
                    items = (message.get("params") or {}).get("items", ())
                    answer = [{} for _ in items]
                    self.connection.send(jsonrpc="2.0", id=message["id"], result=answer)
            elif message["id"] == self.id:
                assert "error" not in message, message
                return message["result"]
        raise AssertionError(f"the language server ended before {method}")

    def saved(self, file: Path, language: str, actions: list[str]) -> str:
        """Return what saving a file gives: after the code actions, the format."""
        text, uri = file.read_text(encoding="utf-8"), file.as_uri()
        document = {"uri": uri, "languageId": language, "version": 0, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        # Before it has read its own settings, Biome has no answer.
        wait_for(lambda: self.format(uri), "the language server")
        for kind in actions:
            for action in self.actions(uri, text, kind):
                edits = self.edits_of(action, uri)
                text = self.change(uri, text, edits)
        return edited(text, self.format(uri) or [])

    def format(self, uri: str) -> list[dict] | None:
        options = {"tabSize": 4, "insertSpaces": True}
        return self.ask(
            "textDocument/formatting", textDocument={"uri": uri}, options=options
        )

    def actions(self, uri: str, text: str, kind: str) -> list[dict]:
        whole = {
            "start": {"line": 0, "character": 0},
            "end": {"line": text.count("\n"), "character": 0},
        }
        found = self.ask(
            "textDocument/codeAction",
            textDocument={"uri": uri},
            range=whole,
            context={"diagnostics": [], "only": [kind]},
        )
        return found or []

    def edits_of(self, action: dict, uri: str) -> list[dict]:
        if "edit" not in action:
            action = self.ask("codeAction/resolve", **action)
        edit = action.get("edit") or {}
        changes = edit.get("documentChanges") or []
        return [
            *edit.get("changes", {}).get(uri, []),
            *(each for change in changes for each in change["edits"]),
        ]

    def change(self, uri: str, text: str, edits: list[dict]) -> str:
        text = edited(text, edits)
        self.tell(
            "textDocument/didChange",
            textDocument={"uri": uri, "version": 1},
            contentChanges=[{"text": text}],
        )
        return text


def edited(text: str, edits: list[dict]) -> str:
    """Apply the edits of a language server to a text of ASCII."""
    lines = text.splitlines(keepends=True)

    def offset(place: dict) -> int:
        return sum(map(len, lines[: place["line"]])) + place["character"]

    for edit in sorted(edits, key=lambda e: offset(e["range"]["start"]), reverse=True):
        start, end = (offset(edit["range"][name]) for name in ("start", "end"))
        text = text[:start] + edit["newText"] + text[end:]
    return text


@contextmanager
def language_server(
    folder: Path, *command: object, **env: str
) -> Iterator[LanguageServer]:
    """Run a language server for a folder; env is added to the environment."""
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=clean_env(**env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            yield LanguageServer(Connection(process.stdout, process.stdin), folder)
        finally:
            process.kill()


def connected(port: int) -> socket.socket | None:
    with suppress(ConnectionRefusedError):
        return socket.create_connection(("127.0.0.1", port))


class Debugger:
    """Debugs by an adapter as VS Code does, and goes on wherever it has stopped."""

    def __init__(self, port: int, file: Path, text: str) -> None:
        """Take a line of a file to stop at: the one with this text, as it moves."""
        self.port, self.file, self.text = port, file, text
        self.stops: list[tuple[Path, int]] = []
        self.main: Connection | None = None

    def line(self) -> int:
        lines = self.file.read_text(encoding="utf-8").splitlines()
        return next(n for n, line in enumerate(lines, 1) if self.text in line)

    def start(self, request: str, arguments: dict) -> None:
        """Debug one process, and those that it will start."""
        threading.Thread(
            target=self.follow, args=(request, arguments), daemon=True
        ).start()

    def follow(self, request: str, arguments: dict) -> None:
        # The adapter ends with its first client, so nobody may only try the port.
        server = wait_for(lambda: connected(self.port), "the adapter")
        # At its end, it cuts what is open.
        with suppress(ConnectionError), server, server.makefile("rwb") as file:
            connection = Connection(file, file)
            self.main = self.main or connection
            self.answer(connection, request, arguments)

    def answer(self, connection: Connection, request: str, arguments: dict) -> None:
        def ask(command: str, **arguments: Any) -> None:
            connection.send(seq=1, type="request", command=command, arguments=arguments)

        ask("initialize", adapterID="debugpy", supportsStartDebuggingRequest=True)
        ask(request, **arguments)
        while message := connection.receive():
            match message:
                case {"event": "initialized"}:
                    ask(
                        "setBreakpoints",
                        source={"path": str(self.file)},
                        breakpoints=[{"line": self.line()}],
                    )
                    ask("configurationDone")
                case {"command": "startDebugging", "arguments": more}:
                    connection.send(
                        seq=1,
                        type="response",
                        command="startDebugging",
                        request_seq=message["seq"],
                        success=True,
                    )
                    self.start(more["request"], more["configuration"])
                case {"event": "stopped", "body": {"threadId": thread}}:
                    ask("stackTrace", threadId=thread)
                    ask("continue", threadId=thread)
                case {"command": "stackTrace", "body": {"stackFrames": [frame, *_]}}:
                    self.stops.append((Path(frame["source"]["path"]), frame["line"]))

    def end(self) -> None:
        self.main.send(
            seq=1,
            type="request",
            command="disconnect",
            arguments={"terminateDebuggee": True},
        )


@contextmanager
def debugging(
    adapter: list[object], folder: Path, configuration: dict, file: Path, text: str
) -> Iterator[Debugger]:
    """Debug a configuration of launch.json; stop at a line of a file."""
    port = free_port()
    with running(folder, *adapter, "--host", "127.0.0.1", "--port", port):
        debugger = Debugger(port, file, text)
        debugger.start(configuration["request"], configuration)
        try:
            yield debugger
        finally:
            debugger.end()
