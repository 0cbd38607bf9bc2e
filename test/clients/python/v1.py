"""aliyun-python-sdk-dataworks-public: typed requests, answers as JSON, signature V1."""

import importlib
import json

from aliyunsdkcore.client import AcsClient

from life import PROJECT, live, setting

VERSION = "aliyunsdkdataworks_public.request.v20200518"
REALTIME = {"ProjectId": PROJECT, "TaskType": "DI_REALTIME"}


class Api:
    # The client's word for SignatureDoesNotMatch, when the string that the service signed is the one that it signed itself.
    WRONG_SECRET = "InvalidAccessKeySecret"

    def __init__(self, secret):
        self.client = AcsClient(setting("KEY_ID"), secret, "any-region")

    def call(self, action, **parameters):
        """The answer's Data. Each parameter goes where the client's own request puts it."""
        module = importlib.import_module(f"{VERSION}.{action}Request")
        request = getattr(module, f"{action}Request")()
        request.set_endpoint(setting("ENDPOINT"))
        for name, value in parameters.items():
            getattr(request, f"set_{name}")(value)
        return json.loads(self.client.do_action_with_exception(request))["Data"]

    def create_data_source(self, name, kind, content):
        return self.call(
            "CreateDataSource", ProjectId=PROJECT, Name=name, DataSourceType=kind, EnvType=1, Content=content
        )

    def list_data_sources(self, name, project=PROJECT):
        found = self.call("ListDataSources", ProjectId=project, Name=name)["DataSources"]
        return [(one["Id"], one["Name"], one["DataSourceType"], one["ProjectId"]) for one in found]

    def delete_data_source(self, source):
        return self.call("DeleteDataSource", DataSourceId=source)

    def plan_new(self, task_param):
        return self.call("GenerateDISyncTaskConfigForCreating", **REALTIME, TaskParam=task_param)["ProcessId"]

    def plan_change(self, file, task_param):
        return self.call("GenerateDISyncTaskConfigForUpdating", **REALTIME, TaskId=file, TaskParam=task_param)[
            "ProcessId"
        ]

    def process_result(self, process):
        data = self.call("QueryDISyncTaskConfigProcessResult", **REALTIME, AsyncProcessId=process)
        return data["Status"], data["Message"], data["TaskContent"]

    def create(self, name, task_param, content):
        data = self.call("CreateDISyncTask", **REALTIME, TaskName=name, TaskParam=task_param, TaskContent=content)
        return data["Status"], data["Message"], data["FileId"]

    def update(self, file, content):
        return self.outcome("UpdateDISyncTask", file, TaskContent=content)

    def deploy(self, file):
        return self.outcome("DeployDISyncTask", file)

    def start(self, file, start_param):
        return self.outcome("StartDISyncInstance", file, StartParam=start_param)

    def stop(self, file):
        return self.outcome("StopDISyncInstance", file)

    def terminate(self, file):
        return self.outcome("TerminateDISyncInstance", file)

    def delete(self, file):
        return self.outcome("DeleteDISyncTask", file)

    def script(self, file):
        return self.call("GetDISyncTask", **REALTIME, FileId=file)["Code"]

    def instance_status(self, file):
        return self.call("GetDISyncInstanceInfo", **REALTIME, FileId=file)["Status"]

    def outcome(self, action, file, **more):
        data = self.call(action, **REALTIME, FileId=file, **more)
        return data["Status"], data["Message"]


live(Api)
