"""A server that hangs: a run that has little time ends all the same, says so, and loses nothing."""

import signal
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from tests.program import Program

TIMEOUT = 20


@contextmanager
def deaf_server():
    """Give a server that takes connections and never says a word: its address, and its connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept, stop = [], threading.Event()
        server.settimeout(0.1)

        def listen():
            while not stop.is_set():
                try:
                    kept.append(server.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", kept
        finally:
            stop.set()
            thread.join()
            for connection in kept:
                connection.close()


def wait_for(connections, seconds):
    ends = time.monotonic() + seconds
    while not connections and time.monotonic() < ends:
        time.sleep(0.1)
    assert connections


def timed(stage, *more):
    begun = time.monotonic()
    code, report = stage.run(*more)
    return code, report, time.monotonic() - begun


@pytest.mark.long
def test_a_source_that_hangs_is_left_within_the_time_and_one_request(small, another):
    key = another.invoice("12.00")
    with deaf_server() as (host, _):
        small.write("sap_b1", service_layer_url=f"http://{host}/b1s/v2", timeout_seconds=TIMEOUT)
        code, report, seconds = timed(small, "--max-seconds", "5")
    assert code == 1
    assert seconds < 5 + TIMEOUT, seconds
    flows = small.flows(report)
    assert "cut short while SAP Business One had not answered" in flows["vendors"]["error"]
    assert "before this flow was read" in flows["accounts"]["error"]
    assert report["reconciled"] is False
    assert another.flows(report)["invoices"]["delivered"] == 1
    assert len(another.posted(key)) == 1

    small.write("sap_b1")
    assert small.flows(small.ran())["vendors"]["delivered"] == 5


def test_a_posting_that_hangs_is_left_and_found_by_the_next_run(small):
    small.ran()
    key = small.invoice("12.00")
    small.write("sap_b1", timeout_seconds=TIMEOUT, in_doubt_seconds=2)
    small.erp.faults.add("late", "PurchaseInvoices", "POST", seconds=1)
    small.erp.faults.add("hang", "PurchaseInvoices", "GET", times=99, seconds=40)
    code, report, seconds = timed(small, "--max-seconds", "3")
    assert code == 1
    assert seconds < 3 + TIMEOUT, seconds
    assert small.flows(report)["invoices"]["pending"] == 1
    small.erp.faults.clear()
    small.ran()
    assert len(small.posted(key)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_before_a_hanging_request_does(small, number):
    with deaf_server() as (host, connections):
        small.write("sap_b1", service_layer_url=f"http://{host}/b1s/v2", timeout_seconds=50)
        process = Program("local", "run", "--secrets", str(small.folder))
        wait_for(connections, 30)
        assert process.poll() is None
        begun = time.monotonic()
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
    assert time.monotonic() - begun < 20
    assert process.returncode == 1
    assert "cut short" in said


@pytest.mark.long
def test_serve_ends_while_a_request_hangs(small_for_all, tmp_path):
    small = small_for_all("quick", tmp_path)  # a tenant's first poll is spread over a minute by its name: 3 s
    with deaf_server() as (host, connections):
        small.write("sap_b1", service_layer_url=f"http://{host}/b1s/v2", timeout_seconds=50)
        with small.left_running() as (process, _):
            wait_for(connections, 70)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert time.monotonic() - begun < 15


@pytest.mark.long
def test_a_state_that_was_left_by_a_hanging_run_opens_at_once(small):
    with deaf_server() as (host, _):
        small.write("sap_b1", service_layer_url=f"http://{host}/b1s/v2", timeout_seconds=30)
        assert small.run("--max-seconds", "1")[0] == 1
        code, _ = small.run("--max-seconds", "1")
    assert code == 1, "the lock was not given back"


@pytest.mark.parametrize("seconds", ["0", "-5", "nan"])
def test_a_time_that_is_none_is_wrong_use(small, seconds):
    code, report = small.run("--max-seconds", seconds)
    assert code == 2
    assert "above 0" in report["stderr"]
    assert small.erp.logins == 0
