"""alibabacloud-dataworks-public20200518: typed requests and answers, signature V3."""

from alibabacloud_dataworks_public20200518 import models
from alibabacloud_dataworks_public20200518.client import Client
from alibabacloud_tea_openapi.utils_models import Config

from life import PROJECT, live, setting

REALTIME = "DI_REALTIME"


class Api:
    WRONG_SECRET = "SignatureDoesNotMatch"

    def __init__(self, secret):
        self.client = Client(
            Config(
                endpoint=setting("ENDPOINT"),
                protocol="http",
                access_key_id=setting("KEY_ID"),
                access_key_secret=secret,
            )
        )

    def create_data_source(self, name, kind, content):
        request = models.CreateDataSourceRequest(
            project_id=PROJECT, name=name, data_source_type=kind, env_type=1, content=content
        )
        return self.client.create_data_source(request).body.data

    def list_data_sources(self, name, project=PROJECT):
        request = models.ListDataSourcesRequest(project_id=project, name=name)
        found = self.client.list_data_sources(request).body.data.data_sources
        return [(one.id, one.name, one.data_source_type, one.project_id) for one in found]

    def delete_data_source(self, source):
        return self.client.delete_data_source(models.DeleteDataSourceRequest(data_source_id=source)).body.data

    def plan_new(self, task_param):
        request = models.GenerateDISyncTaskConfigForCreatingRequest(
            project_id=PROJECT, task_type=REALTIME, task_param=task_param
        )
        return self.client.generate_disync_task_config_for_creating(request).body.data.process_id

    def plan_change(self, file, task_param):
        request = models.GenerateDISyncTaskConfigForUpdatingRequest(
            project_id=PROJECT, task_type=REALTIME, task_id=file, task_param=task_param
        )
        return self.client.generate_disync_task_config_for_updating(request).body.data.process_id

    def process_result(self, process):
        request = models.QueryDISyncTaskConfigProcessResultRequest(
            project_id=PROJECT, task_type=REALTIME, async_process_id=process
        )
        data = self.client.query_disync_task_config_process_result(request).body.data
        return data.status, data.message, data.task_content

    def create(self, name, task_param, content):
        request = models.CreateDISyncTaskRequest(
            project_id=PROJECT, task_type=REALTIME, task_name=name, task_param=task_param, task_content=content
        )
        data = self.client.create_disync_task(request).body.data
        return data.status, data.message, data.file_id

    def update(self, file, content):
        request = models.UpdateDISyncTaskRequest(
            project_id=PROJECT, task_type=REALTIME, file_id=file, task_content=content
        )
        return outcome(self.client.update_disync_task(request))

    def deploy(self, file):
        return outcome(self.client.deploy_disync_task(of(models.DeployDISyncTaskRequest, file)))

    def start(self, file, start_param):
        request = of(models.StartDISyncInstanceRequest, file)
        request.start_param = start_param
        return outcome(self.client.start_disync_instance(request))

    def stop(self, file):
        return outcome(self.client.stop_disync_instance(of(models.StopDISyncInstanceRequest, file)))

    def terminate(self, file):
        return outcome(self.client.terminate_disync_instance(of(models.TerminateDISyncInstanceRequest, file)))

    def delete(self, file):
        return outcome(self.client.delete_disync_task(of(models.DeleteDISyncTaskRequest, file)))

    def script(self, file):
        return self.client.get_disync_task(of(models.GetDISyncTaskRequest, file)).body.data.code

    def instance_status(self, file):
        request = of(models.GetDISyncInstanceInfoRequest, file)
        return self.client.get_disync_instance_info(request).body.data.status


def of(request, file):
    return request(project_id=PROJECT, task_type=REALTIME, file_id=file)


def outcome(answer):
    return answer.body.data.status, answer.body.data.message


live(Api)
