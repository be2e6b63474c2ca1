"""Says "ready" and asks for the server's health until its standard input ends;
then prints how many milliseconds each answer took, one a line."""

import sys
import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


# Checks of an attack that is over at once.
LEAST = 20


def main():
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()),
                     daemon=True).start()
    times = []
    with grpc.insecure_channel(sys.argv[1]) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        request = health_pb2.HealthCheckRequest()
        check(request, timeout=10)
        print("ready", flush=True)
        while not done.is_set() or len(times) < LEAST:
            time.sleep(0.05)
            start = time.monotonic()
            try:
                check(request, timeout=10)
            except grpc.RpcError:
                times.append(10_000.0)
                continue
            times.append((time.monotonic() - start) * 1000)
    print("\n".join(f"{time:.3f}" for time in times))


if __name__ == "__main__":
    main()
