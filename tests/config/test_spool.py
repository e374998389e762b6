"""The embedded broker, through kombu as Celery uses it."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from config.spool import register
from config.spool_signals import READERS, ReaderPipe, signal_readers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def broker(folder: Path) -> Iterator[Connection]:
    register()
    with connect(folder) as connection:
        yield connection


def connect(folder: Path, polling_interval: float = 0.01) -> Connection:
    options = {"folder": str(folder), "polling_interval": polling_interval}
    return Connection("spool://", transport_options=options)


def send(broker: Connection, body: Any, **headers: Any) -> None:
    broker.Producer(broker.default_channel).publish(body, routing_key="receipts", headers=headers)


def channel_of(broker: Connection) -> Any:
    """Its channel, which is one of our transport's."""
    return broker.default_channel


def receive(broker: Connection) -> Any:
    message = channel_of(broker).basic_get("receipts")
    if message is None:
        return None
    message.ack()
    return message.payload


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def pipes(folder: Path) -> list[Path]:
    return list((folder / READERS).glob("*"))


def wait_until(holds: Callable[[], Any]) -> None:
    stop = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < stop
        time.sleep(0.001)


def test_messages_arrive_in_order_and_leave_no_file_behind(broker: Connection, folder: Path) -> None:
    for number in range(20):
        send(broker, {"number": number})
    assert [receive(broker)["number"] for _ in range(20)] == list(range(20))
    assert receive(broker) is None
    assert files(folder) == []


def test_a_half_written_message_is_invisible(broker: Connection, folder: Path) -> None:
    send(broker, {"whole": True})
    (folder / "receipts" / "0123.tmp").write_text('{"body": "hal')
    assert receive(broker) == {"whole": True}
    assert receive(broker) is None


def test_an_unreadable_message_is_dropped_and_the_next_one_arrives(broker: Connection, folder: Path) -> None:
    (folder / "receipts").mkdir(parents=True)
    (folder / "receipts" / "0-broken.msg").write_text('{"body": "hal')
    send(broker, {"whole": True})
    assert receive(broker) == {"whole": True}
    assert files(folder) == []


def test_a_message_is_gone_once_it_is_taken(broker: Connection, folder: Path) -> None:
    send(broker, {"number": 1})
    assert channel_of(broker).basic_get("receipts") is not None  # and never acknowledged: its process is gone
    with connect(folder) as other:
        assert receive(other) is None
    assert files(folder) == []


def test_a_rejected_message_comes_again_only_if_it_is_asked_for(broker: Connection, folder: Path) -> None:
    for requeue in (True, False):
        send(broker, {"requeue": requeue})
        message = channel_of(broker).basic_get("receipts")
        assert message is not None
        message.reject(requeue=requeue)
        assert receive(broker) == ({"requeue": True} if requeue else None)
    assert files(folder) == []


def test_the_folder_may_vanish_at_any_time(broker: Connection, folder: Path) -> None:
    send(broker, {"number": 1})
    shutil.rmtree(folder)
    assert receive(broker) is None
    send(broker, {"number": 2})
    assert receive(broker) == {"number": 2}


def test_a_folder_that_cannot_be_used_looks_empty_until_it_can(broker: Connection, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "receipts").write_text("not a folder")
    with pytest.raises(Empty):
        channel_of(broker)._get("receipts")
    (folder / "receipts").unlink()
    send(broker, {"number": 1})
    assert receive(broker) == {"number": 1}


def test_who_waits_is_woken_by_a_message_without_looking_for_it(folder: Path) -> None:
    register()
    received: list[Any] = []
    waiting = threading.Event()

    def wait_for_two() -> None:
        with connect(folder, polling_interval=3600) as reader, reader.SimpleQueue("receipts") as queue:
            for _ in range(2):
                waiting.set()
                message = queue.get(timeout=60)
                message.ack()
                received.append(message.payload)

    thread = threading.Thread(target=wait_for_two)
    thread.start()
    assert waiting.wait(60)
    with connect(folder) as writer:
        for number in range(2):
            wait_until(lambda number=number: len(received) == number and pipes(folder))  # type: ignore[misc]
            send(writer, {"number": number})
        thread.join()
    assert received == [{"number": 0}, {"number": 1}]
    assert pipes(folder) == []


def test_the_pipe_of_a_process_that_is_gone_is_removed(broker: Connection, folder: Path) -> None:
    (folder / READERS).mkdir(parents=True)
    os.mkfifo(folder / READERS / "1-gone")
    send(broker, {"number": 1})
    assert pipes(folder) == []
    assert receive(broker) == {"number": 1}


def test_a_pipe_full_of_signals_holds_up_no_writer(broker: Connection, folder: Path) -> None:
    pipe = ReaderPipe(folder)
    pipe.open()
    for _ in range(70_000):
        signal_readers(folder)
    send(broker, {"number": 1})
    assert receive(broker) == {"number": 1}
    pipe.close()


@pytest.mark.parametrize("lost", ["readers", ""])
def test_who_waits_makes_the_pipe_anew_when_its_folder_vanished(folder: Path, lost: str) -> None:
    register()
    with connect(folder) as reader, reader.SimpleQueue("receipts") as queue:
        with pytest.raises(Empty):
            queue.get(timeout=0.02)
        shutil.rmtree(folder / lost)
        with pytest.raises(Empty):
            queue.get(timeout=0.02)
        assert len(pipes(folder)) == 1


def test_without_pipes_messages_are_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError("Operation not supported")

    register()
    monkeypatch.setattr(os, "mkfifo", refuse)
    with connect(folder) as reader, reader.SimpleQueue("receipts") as queue:
        with pytest.raises(Empty):
            queue.get(timeout=0.02)
        send(reader, {"number": 1})
        assert queue.get(timeout=60).payload == {"number": 1}


def test_purging_empties_the_queue(broker: Connection, folder: Path) -> None:
    for number in range(3):
        send(broker, {"number": number})
    assert channel_of(broker)._size("receipts") == 3
    assert channel_of(broker).queue_purge("receipts") == 3
    assert files(folder) == []


def test_several_takers_share_a_queue_and_none_gets_a_message_twice(broker: Connection, folder: Path) -> None:
    for number in range(200):
        send(broker, {"number": number})
    received: list[int] = []

    def take() -> None:
        with connect(folder) as connection:
            while (payload := receive(connection)) is not None:
                received.append(payload["number"])

    takers = [threading.Thread(target=take) for _ in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert sorted(received) == list(range(200))


def test_what_lies_in_the_folder_is_json(broker: Connection, folder: Path) -> None:
    send(broker, {"number": 1})
    [file] = files(folder)
    assert json.loads(file.read_text())["properties"]["delivery_info"]["routing_key"] == "receipts"
