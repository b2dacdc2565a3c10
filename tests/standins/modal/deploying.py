"""The half of the protocol that deploys an app and finds its functions."""

from __future__ import annotations

import hashlib
import sys
import time
from typing import Any

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from tests.standins.modal.state import Function, Result, new_id

_BUILDER = "2025.06"


class Deploying:
    """Apps, images, mounts and secrets by name; functions as they were deployed."""

    functions: dict[str, Function]
    server_url: str

    def __init__(self) -> None:
        self.apps: dict[str, dict[str, str]] = {}  #: app id -> function ids by name
        self.deployed: dict[str, str] = {}  #: app name -> app id
        self.secret_env: dict[str, dict[str, str]] = {}
        self.images: list[pb.Image] = []  #: as they were described; none is built
        self._named: dict[tuple[str, str], str] = {}

    def function(self, name: str) -> Function:
        """The deployed function of that name, in whichever app."""
        app = next(app for app in self.apps.values() if name in app)
        return self.functions[app[name]]

    async def ClientHello(self, stream: Any) -> None:
        await stream.recv_message()
        await stream.send_message(pb.ClientHelloResponse())

    async def EnvironmentGetOrCreate(self, stream: Any) -> None:
        asked = await stream.recv_message()
        settings = pb.EnvironmentSettings(image_builder_version=_BUILDER)
        found = pb.EnvironmentMetadata(name=asked.deployment_name or "main", settings=settings)
        await stream.send_message(pb.EnvironmentGetOrCreateResponse(environment_id="en-1", metadata=found))

    async def AppGetByDeploymentName(self, stream: Any) -> None:
        asked = await stream.recv_message()
        found = self.deployed.get(asked.name, "")
        await stream.send_message(pb.AppGetByDeploymentNameResponse(app_id=found))

    async def AppCreate(self, stream: Any) -> None:
        await stream.recv_message()
        app_id = new_id("ap")
        self.apps[app_id] = {}
        await stream.send_message(pb.AppCreateResponse(app_id=app_id, app_page_url=self.server_url))

    async def AppHeartbeat(self, stream: Any) -> None:
        await stream.recv_message()
        await stream.send_message(Empty())

    async def AppClientDisconnect(self, stream: Any) -> None:
        await stream.recv_message()
        await stream.send_message(Empty())

    async def AppGetLayout(self, stream: Any) -> None:
        asked = await stream.recv_message()
        await stream.send_message(pb.AppGetLayoutResponse(app_layout=self.layout(asked.app_id)))

    async def AppPublish(self, stream: Any) -> None:
        asked = await stream.recv_message()
        self.apps[asked.app_id] = dict(asked.function_ids)
        if asked.app_state == pb.APP_STATE_DEPLOYED:
            self.deployed[asked.name] = asked.app_id
        for function_id in asked.function_ids.values():  # a new version: old containers drain
            for container in self.functions[function_id].containers.values():
                container.stopping = True
            self.functions[function_id].work.set()
        answer = pb.AppPublishResponse(url=f"{self.server_url}/{asked.name}", deployed_at=time.time())
        await stream.send_message(answer)

    async def ImageGetOrCreate(self, stream: Any) -> None:
        asked = await stream.recv_message()
        self.images.append(asked.image)
        digest = hashlib.sha256(asked.image.SerializeToString(deterministic=True)).hexdigest()
        said = pb.ImageMetadata(
            image_builder_version=asked.builder_version or _BUILDER,
            python_version_info="Python {}.{}".format(*sys.version_info),
        )
        answer = pb.ImageGetOrCreateResponse(
            image_id=self._id("image", digest, "im"),
            result=Result(status=Result.GENERIC_STATUS_SUCCESS),
            metadata=said,
        )
        await stream.send_message(answer)

    async def MountBatchedCheckExistence(self, stream: Any) -> None:
        await stream.recv_message()  # it has every file already: nothing is sent
        await stream.send_message(pb.MountBatchedCheckExistenceResponse())

    async def MountPutFile(self, stream: Any) -> None:
        await stream.recv_message()
        await stream.send_message(pb.MountPutFileResponse(exists=True))

    async def MountGetOrCreate(self, stream: Any) -> None:
        asked = await stream.recv_message()
        answer = pb.MountGetOrCreateResponse(
            mount_id=self._id("mount", asked.deployment_name, "mo"),
            handle_metadata=pb.MountHandleMetadata(content_checksum_sha256_hex="local"),
        )
        await stream.send_message(answer)

    async def SecretGetOrCreate(self, stream: Any) -> None:
        asked = await stream.recv_message()
        secret_id = self._id("secret", asked.deployment_name, "st")
        if asked.deployment_name and not asked.env_dict and secret_id not in self.secret_env:
            raise GRPCError(Status.NOT_FOUND, f"Secret '{asked.deployment_name}' not found")
        if asked.env_dict:
            self.secret_env[secret_id] = dict(asked.env_dict)
        await stream.send_message(pb.SecretGetOrCreateResponse(secret_id=secret_id))

    async def FunctionPrecreate(self, stream: Any) -> None:
        asked = await stream.recv_message()
        function_id = asked.existing_function_id or new_id("fu")
        proto = pb.Function(
            function_name=asked.function_name,
            function_type=asked.function_type,
            function_schema=asked.function_schema,
            supported_input_formats=asked.supported_input_formats,
            supported_output_formats=asked.supported_output_formats,
        )
        found = self.functions.setdefault(function_id, Function(function_id, asked.app_id, proto))
        answer = pb.FunctionPrecreateResponse(function_id=function_id, handle_metadata=_handle(found))
        await stream.send_message(answer)

    async def FunctionCreate(self, stream: Any) -> None:
        asked = await stream.recv_message()
        ranked = asked.function_data.ranked_functions  # a list of GPUs, best first: take the first
        proto = ranked[0].function if ranked else asked.function
        function_id = asked.existing_function_id or new_id("fu")
        found = self.functions.setdefault(function_id, Function(function_id, asked.app_id, pb.Function()))
        found.proto = pb.Function.FromString(proto.SerializeToString())
        answer = pb.FunctionCreateResponse(
            function_id=function_id,
            function=found.proto,
            function_data=_data(found),
            handle_metadata=_handle(found),
        )
        await stream.send_message(answer)

    async def FunctionGet(self, stream: Any) -> None:
        asked = await stream.recv_message()
        app_id = self.deployed.get(asked.app_name)
        if app_id is None:
            raise GRPCError(Status.NOT_FOUND, f"App '{asked.app_name}' not found")
        function_id = self.apps[app_id].get(asked.object_tag)
        if function_id is None:
            raise GRPCError(Status.NOT_FOUND, f"App has no function or class named '{asked.object_tag}'")
        found = self.functions[function_id]
        answer = pb.FunctionGetResponse(
            function_id=found.id, handle_metadata=_handle(found), function=_data(found)
        )
        await stream.send_message(answer)

    def layout(self, app_id: str) -> pb.AppLayout:
        own = [function for function in self.functions.values() if function.app_id == app_id]
        objects = [
            pb.Object(object_id=function.id, function_handle_metadata=_handle(function)) for function in own
        ]
        needed = {need.object_id for function in own for need in function.proto.object_dependencies}
        objects += [pb.Object(object_id=object_id) for object_id in sorted(needed)]
        return pb.AppLayout(objects=objects, function_ids=self.apps[app_id])

    def _id(self, kind: str, name: str, prefix: str) -> str:
        return self._named.setdefault((kind, name), new_id(prefix)) if name else new_id(prefix)


def _handle(function: Function) -> pb.FunctionHandleMetadata:
    proto = function.proto
    return pb.FunctionHandleMetadata(
        function_name=proto.function_name,
        function_type=proto.function_type,
        definition_id="de-" + function.id,
        app_id=function.app_id,
        function_schema=proto.function_schema,
        supported_input_formats=proto.supported_input_formats,
        supported_output_formats=proto.supported_output_formats,
    )


def _data(function: Function) -> pb.FunctionData:
    proto = function.proto
    return pb.FunctionData(
        module_name=proto.module_name,
        function_name=proto.function_name,
        function_type=proto.function_type,
        timeout_secs=proto.timeout_secs,
        autoscaler_settings=proto.autoscaler_settings,
        ranked_functions=[pb.FunctionData.RankedFunction(rank=0, function=proto)],  # 1.6 wants one at least
    )
