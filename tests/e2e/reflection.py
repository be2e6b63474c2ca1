"""Clients that know the service by server reflection only."""

import json
import shutil
import subprocess

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

from server import SERVICE


class PythonReflection:
    """Builds messages from the descriptors that the server sends."""

    name = "Python reflection client"

    def __init__(self, server):
        self.channel = server.channel()
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def services(self):
        return set(self.database.get_services())

    def methods(self):
        service = self.pool.FindServiceByName(SERVICE)
        return {method.name for method in service.methods}

    def call(self, method, request):
        """Both as JSON text; (reply, None) or (None, code name)."""
        types = self.pool.FindServiceByName(SERVICE).methods_by_name[method]
        request_class = message_factory.GetMessageClass(types.input_type)
        reply_class = message_factory.GetMessageClass(types.output_type)
        rpc = self.channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=request_class.SerializeToString,
            response_deserializer=reply_class.FromString)
        try:
            reply = rpc(json_format.Parse(request, request_class()),
                        timeout=60)
        except grpc.RpcError as error:
            return None, error.code().name
        return json_format.MessageToJson(reply), None

    def close(self):
        self.channel.close()


class Grpcurl:
    name = "grpcurl"

    # grpcurl exits with 64 + the status code.
    CODES = {64 + code.value[0]: code.name for code in grpc.StatusCode}

    def __init__(self, server):
        self.target = server.target

    def _run(self, *arguments, stdin=""):
        return subprocess.run(
            ["grpcurl", "-plaintext", "-max-time", "60", *arguments],
            input=stdin, capture_output=True, text=True, timeout=120,
            check=False)

    def services(self):
        return set(self._run(self.target, "list").stdout.split())

    def methods(self):
        listed = self._run(self.target, "list", SERVICE).stdout.split()
        return {name.removeprefix(SERVICE + ".") for name in listed}

    def call(self, method, request):
        done = self._run("-d", "@", self.target, f"{SERVICE}/{method}",
                         stdin=request)
        if done.returncode != 0:
            return None, self.CODES.get(done.returncode, done.stderr)
        json.loads(done.stdout)
        return done.stdout, None

    def close(self):
        pass


def clients(server):
    """grpcurl where it is installed, and always the Python client."""
    kinds = [PythonReflection] + ([Grpcurl] if shutil.which("grpcurl") else [])
    return [kind(server) for kind in kinds]
