"""TLS and mTLS, certificates that are replaced, and the port of probes."""

import os
import shutil
import socket
import ssl
import threading
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import deberta.v1.deberta_pb2 as pb
import environment
from certificates import Authority
from server import Server, dial, eventually, free_ports, metric, stub

MODEL = "section-classifier"


def classify(channel):
    return stub(channel).Classify(pb.ClassifyRequest(
        model=MODEL, inputs=[pb.TextInput(text="A chess engine.")]), timeout=30)


def is_healthy(target):
    with grpc.insecure_channel(target) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.RpcError:
            return False
        return reply.status == health_pb2.HealthCheckResponse.SERVING


class TlsServer(Server):
    """Ready when its plaintext port of probes says so."""

    def __init__(self, name, *flags):
        self.probes = f"127.0.0.1:{free_ports(1)[0]}"
        super().__init__(
            environment.server_binary(),
            {MODEL: environment.ROOT / "demo" / MODEL},
            environment.work / f"tls-{name}.log",
            f"--health_listen={self.probes}", *flags)

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"the server exited with {self.process.returncode}")
        return is_healthy(self.probes)


class TlsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.work = environment.work / "tls"
        shutil.rmtree(cls.work, ignore_errors=True)
        cls.authority = Authority(cls.work)
        cls.other = Authority(cls.work, "other")
        cls.server_pair = cls.authority.sign("server")
        cls.client_pair = cls.authority.sign("client", "URI:spiffe://test/me")
        cls.stranger = cls.other.sign("stranger")

    def serve(self, name, *flags, pair=None):
        certificate, key = pair or self.server_pair
        return TlsServer(name, f"--tls_cert_file={certificate}",
                         f"--tls_key_file={key}", *flags)

    def channel(self, server, pair=None):
        certificate, key = pair or (None, None)
        return grpc.secure_channel(
            server.target, grpc.ssl_channel_credentials(
                self.authority.certificate.read_bytes(),
                key and key.read_bytes(),
                certificate and certificate.read_bytes()),
            options=[("grpc.use_local_subchannel_pool", 1)])

    def closed(self, server, reason):
        return metric(server.metrics(), "deberta_connections_closed_total",
                      reason=reason)

    def raw(self, server, context):
        """A TLS connection of Python's."""
        return context.wrap_socket(dial(server.target),
                                   server_hostname="localhost")

    def context(self):
        context = ssl.create_default_context(
            cafile=self.authority.certificate)
        context.set_alpn_protocols(["h2"])
        return context

    def test_answers_over_tls(self):
        with self.serve("plain") as server:
            with self.channel(server) as channel:
                self.assertTrue(classify(channel).results)
                # Large both ways.
                texts = [pb.TextInput(text="a b c d e f g h")] * 200
                reply = stub(channel).Encode(pb.EncodeRequest(
                    model=MODEL, inputs=texts, pooling=pb.POOLING_NONE),
                    timeout=60)
                self.assertEqual(len(reply.results), 200)
            self.assertNotIn("has no TLS", server.log())

    def test_health_port_serves_health_alone(self):
        with self.serve("health") as server:
            self.assertTrue(is_healthy(server.probes))
            with grpc.insecure_channel(server.probes) as channel:
                with self.assertRaises(grpc.RpcError) as caught:
                    classify(channel)
            self.assertEqual(caught.exception.code(),
                             grpc.StatusCode.UNIMPLEMENTED)

    def test_who_does_not_speak_tls_or_http2_is_closed(self):
        with self.serve("closed") as server:
            connection = dial(server.target)
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            connection.settimeout(5)
            self.assertNotIn(b"\0\0\6\4", self.read(connection))
            connection.close()
            for protocols in ([], ["http/1.1"]):
                context = self.context()
                if protocols:
                    context.set_alpn_protocols(protocols)
                else:
                    context = ssl.create_default_context(
                        cafile=self.authority.certificate)
                try:
                    with self.raw(server, context) as connection:
                        self.assertEqual(self.read(connection), b"")
                except ssl.SSLError:
                    pass
            old = self.context()
            old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises(OSError):
                self.raw(server, old)
            eventually(5, lambda: self.closed(server, "tls") == 4,
                       "all are counted")
            with self.channel(server) as channel:
                classify(channel)

    def read(self, connection):
        data = b""
        try:
            while part := connection.recv(4096):
                data += part
        except OSError:
            pass
        return data

    def test_clients_need_a_certificate_of_the_authority(self):
        with self.serve("mtls", f"--tls_client_ca_file="
                        f"{self.authority.certificate}") as server:
            with self.channel(server, self.client_pair) as channel:
                classify(channel)
            for pair in (None, self.stranger):
                with self.channel(server, pair) as channel:
                    with self.assertRaises(grpc.RpcError) as caught:
                        classify(channel)
                    self.assertEqual(caught.exception.code(),
                                     grpc.StatusCode.UNAVAILABLE)
            self.assertGreaterEqual(self.closed(server, "tls"), 2)

    def test_a_handshake_that_does_not_come(self):
        with self.serve("silent") as server:
            silent = [dial(server.target) for _ in range(50)]
            with self.channel(server) as channel:
                classify(channel)
            eventually(15, lambda: self.closed(server, "handshake") == 50,
                       "the silent are closed")
            for connection in silent:
                connection.close()

    def serial(self, server):
        with self.raw(server, self.context()) as connection:
            return connection.getpeercert()["serialNumber"]

    def test_a_certificate_is_replaced_under_load(self):
        pair = [shutil.copy(path, self.work / f"live{path.suffix}")
                for path in self.server_pair]
        new = self.authority.sign("new")
        with self.serve("swap", pair=pair) as server:
            before = self.serial(server)
            done = threading.Event()
            failures, calls = [], [0]

            def load():
                while not done.is_set():
                    try:
                        with self.channel(server) as channel:
                            for _ in range(5):
                                classify(channel)
                                calls[0] += 1
                    except grpc.RpcError as error:
                        failures.append(error)
            threads = [threading.Thread(target=load) for _ in range(3)]
            for thread in threads:
                thread.start()
            # A pair that does not fit changes nothing.
            os.replace(shutil.copy(new[0], self.work / "half"), pair[0])
            eventually(10, lambda: "new certificate is not used" in
                       server.log(), "the log says so")
            self.assertEqual(self.serial(server), before)
            os.replace(shutil.copy(new[1], self.work / "half"), pair[1])
            eventually(10, lambda: self.serial(server) != before,
                       "the new certificate is served")
            seen = calls[0]
            eventually(20, lambda: calls[0] > seen + 30, "load goes on")
            done.set()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            self.assertEqual(
                server.log().count("new certificate is not used"), 1)

    def test_files_that_are_no_certificate_end_the_start(self):
        empty = self.work / "empty.pem"
        empty.write_text("")
        from server import run_to_exit
        certificate, key = self.server_pair
        for flags, said in (
                ((f"--tls_cert_file={certificate}",), "need each other"),
                ((f"--tls_client_ca_file={certificate}",), "needs"),
                ((f"--tls_cert_file={empty}", f"--tls_key_file={key}"),
                 str(empty)),
                ((f"--tls_cert_file={certificate}",
                  f"--tls_key_file={self.stranger[1]}"), "key"),
                ((f"--tls_cert_file={certificate}", f"--tls_key_file={key}",
                  f"--tls_client_ca_file={empty}"), "client CA")):
            code, output = run_to_exit(
                environment.server_binary(), f"--models={environment.ROOT}/demo/"
                f"{MODEL}", "--listen=127.0.0.1:0",
                "--metrics_listen=127.0.0.1:0", *flags)
            self.assertEqual(code, 1, output)
            self.assertIn(said, output)


if __name__ == "__main__":
    unittest.main()
